// A stand-in Azure.

import { once, setMaxListeners } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { armRoute } from './azure_arm.mjs';
import { answerFault, checkFault, replaces, spoilHeaders, spoilOperation, takeFault } from './azure_faults.mjs';
import { newMachines } from './azure_machines.mjs';
import {
  CLIENT_ID, CLIENT_SECRET, LIMITS, RESOURCE_GROUP, SUBSCRIPTION, TENANT,
} from './azure_rules.mjs';
import { startScript } from './azure_scripts.mjs';
import {
  answerAppService, answerGithub, answerImds, answerOpenidConfiguration, answerToken, expireTokens, newSignIn,
} from './azure_sign_in.mjs';

const GITHUB_PATH = '/github/idtoken/5c1f/0d1e';
const IMDS_PATH = '/metadata/identity/oauth2/token';
const APP_SERVICE_PATH = '/msi/token';
const OPTIONS = [
  'tls', 'vms', 'scaleSets', 'operationMs', 'updateMs', 'tokenSeconds', 'keepRequests', 'port', 'run', 'pageSize', 'roles',
  'longUrls', 'resultShape', 'retryAfter', 'certificates', 'workloadTokens',
];

export async function startAzure(options = {}) {
  const odd = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (odd) throw new Error(`no such option: ${odd}`);
  const azure = {
    subscription: SUBSCRIPTION, machines: newMachines(options.vms, options.scaleSets), signIn: newSignIn(options),
    operationMs: options.operationMs ?? 50, updateMs: options.updateMs ?? 15000, pageSize: options.pageSize ?? LIMITS.page,
    roles: { vm: ['*'], resourceGroup: ['*'], ...options.roles }, longUrls: options.longUrls ?? false,
    resultShape: options.resultShape ?? 'value', retryAfter: options.retryAfter, keepRequests: options.keepRequests ?? true,
    requests: [], runs: [], counts: { requests: 0, runs: 0 }, faults: [], operations: new Map(), scripts: new Set(),
    folder: mkdtempSync(join(tmpdir(), 'standin-azure-')), started_ms: performance.now(), stop: new AbortController(),
    sockets: new Set(),
    start: (machine, script) => startRun(azure, options.run, machine, script),
  };
  setMaxListeners(0, azure.stop.signal);
  const listener = (req, res) => serve(azure, req, res).catch((error) => giveUp(azure, req, error));
  const server = options.tls ? https.createServer(options.tls, listener) : http.createServer(listener);
  server.on('connection', (socket) => {
    azure.sockets.add(socket);
    socket.on('close', () => azure.sockets.delete(socket));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  azure.url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
  return handle(azure, server);
}

function handle(azure, server) {
  const { url, signIn, requests, runs, counts, faults } = azure;
  return {
    url, armUrl: url, authorityUrl: url, imdsUrl: url, githubUrl: `${url}${GITHUB_PATH}?api-version=2.0`,
    githubToken: signIn.githubToken, identityEndpoint: url + APP_SERVICE_PATH, identityHeader: signIn.identityHeader,
    workloadToken: signIn.workloadToken, tenant: TENANT, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET,
    subscription: SUBSCRIPTION, resourceGroup: RESOURCE_GROUP,
    requests, runs, counts, tokens: signIn.tokens,
    get unusedFaults() { return [...faults]; },
    fail(fault) {
      checkFault(fault);
      faults.push(fault);
    },
    expireTokens: () => expireTokens(azure),
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      azure.stop.abort();
      for (const script of azure.scripts) script.kill();
      for (const socket of azure.sockets) socket.destroy();
      await closed;
      await Promise.allSettled([...azure.scripts].map(({ ended }) => ended));
      rmSync(azure.folder, { recursive: true, force: true });
    },
  };
}

// Really starts a script; runs is the list of those.
function startRun(azure, run, machine, { lines, parameters, commandId, kind }) {
  azure.counts.runs += 1;
  if (azure.keepRequests) azure.runs.push({ vm: machine.name, script: lines.join('\n'), parameters, commandId, kind });
  const script = startScript(azure.folder, { ...machine, run: machine.run ?? run }, { lines, parameters, kind });
  azure.scripts.add(script);
  script.ended.catch(() => {}).finally(() => azure.scripts.delete(script));
  return script;
}

// --- One request, start to end ---

async function serve(azure, req, res) {
  const { socket } = req; // req.socket goes when the client does
  const { pathname, searchParams } = new URL(req.url, azure.url);
  const { kind, call } = route(req.method, pathname);
  const fault = takeFault(azure.faults, kind);
  const request = {
    method: req.method, url: req.url, path: pathname, query: Object.fromEntries(searchParams), headers: req.headers, body: '',
    json: undefined, form: undefined, at_ms: performance.now() - azure.started_ms, complete: false,
  };
  azure.counts.requests += 1;
  if (azure.keepRequests) azure.requests.push(request);
  if (fault?.kind === 'reset-before-body') return reset(socket);
  if (!await readBody(req, request)) return;

  const work = { ...request, spoil: fault && ((operation) => spoilOperation(fault, operation)) };
  let answer;
  if (!replaces(fault) || fault.accepted) answer = call(azure, work);
  if (replaces(fault)) answer = answerFault(fault, kind, request);
  else if (fault) {
    if (kind !== 'poll') spoilOperation(fault, work.operation);
    answer = spoilHeaders(fault, answer);
  }
  await deliver(azure, req, res, answer, fault);
}

function route(method, path) {
  const [, tenant, below] = /^\/([^/]+)\/(.+)$/.exec(path) ?? [];
  if (below === 'oauth2/v2.0/token') return { kind: 'token', call: (azure, request) => answerToken(azure, request, tenant) };
  if (below === 'v2.0/.well-known/openid-configuration') return { kind: 'other', call: (azure) => answerOpenidConfiguration(azure, tenant) };
  if (path === GITHUB_PATH) return { kind: 'github', call: answerGithub };
  if (path === IMDS_PATH) return { kind: 'imds', call: answerImds };
  if (path === APP_SERVICE_PATH) return { kind: 'imds', call: answerAppService };
  return armRoute(method, path);
}

// false: the body's end was not reached, because the client went away.
async function readBody(req, request) {
  const chunks = [];
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) chunks.push(chunk);
  } catch {
    return false;
  } finally {
    request.body = Buffer.concat(chunks).toString();
  }
  request.complete = true;
  const type = (req.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded') request.form = Object.fromEntries(new URLSearchParams(request.body));
  else request.json = parseJson(request.body);
  return true;
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function deliver(azure, req, res, answer, fault) {
  const body = Buffer.from(answer?.body ?? '');
  const half = body.subarray(0, Math.ceil(body.length / 2));
  switch (fault?.kind) {
    case 'hang': return;
    case 'reset-after-body': return reset(req.socket);
    case 'truncated-json': return send(res, answer, half);
    case 'slow':
      await delay(fault.delay_ms, undefined, { signal: azure.stop.signal });
      return send(res, answer, body);
    case 'reset-in-reply':
      res.writeHead(answer.status, { ...headersOf(answer), 'content-length': body.length + 1 });
      return res.write(half.length > 0 ? half : 'x', () => reset(req.socket));
    default: return send(res, answer, body);
  }
}

function send(res, answer, body) {
  res.writeHead(answer.status, { ...headersOf(answer), 'content-length': body.length });
  res.end(body);
}

function headersOf({ headers }) {
  const id = randomUUID();
  return { 'x-ms-request-id': id, 'x-ms-correlation-request-id': id, 'cache-control': 'no-cache', ...headers };
}

// A TLS socket can't send RST itself: the TCP socket under it does.
function reset(socket) {
  (socket._parent ?? socket).resetAndDestroy();
}

function giveUp(azure, req, error) {
  if (!azure.stop.signal.aborted) console.error('stand-in Azure:', error);
  req.socket?.destroy();
}

// --- On the command line ---

async function main() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      port: { ...text, default: '0' }, 'tls-key': text, 'tls-cert': text, vms: text, 'operation-ms': text, output: text,
      forget: { type: 'boolean', default: false }, fault: { ...text, multiple: true, default: [] },
    },
  });
  const tls = values['tls-key'] && { key: readFileSync(values['tls-key']), cert: readFileSync(values['tls-cert']) };
  const azure = await startAzure({
    port: Number(values.port), keepRequests: !values.forget,
    ...(tls && { tls }), ...(values.vms && { vms: Number(values.vms) }),
    ...(values['operation-ms'] && { operationMs: Number(values['operation-ms']) }),
    ...(values.output !== undefined && { run: () => ({ stdout: values.output, stderr: '', exitCode: 0 }) }),
  });
  for (const fault of values.fault) azure.fail(JSON.parse(fault));
  const addresses = Object.entries(azure).filter(([, value]) => typeof value === 'string');
  console.log(JSON.stringify(Object.fromEntries(addresses)));
  const end = async () => {
    await azure.close();
    if (values.forget) console.log(JSON.stringify(azure.counts));
    process.exit(0);
  };
  process.once('SIGTERM', end);
  process.stdin.once('end', end).resume();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch((error) => {
    console.error(`azure.mjs: ${error.message}`);
    process.exit(64);
  });
}
