// A stand-in Azure: Entra's token endpoint, ARM (VMs, scale sets, run commands of both sorts), GitHub's OIDC endpoint,
// the metadata service of a VM (IMDS) and App Service's identity endpoint, on one port of the loopback.
//
//   const azure = await startAzure({ tls, vms, scaleSets, roles, run, operationMs, … });
//   azure.url, .armUrl, .authorityUrl, .imdsUrl             where it is: all the same, for the options of a client
//   azure.tenant, .clientId, .clientSecret, .subscription, .resourceGroup                 what it knows
//   azure.githubUrl, .githubToken        ACTIONS_ID_TOKEN_REQUEST_URL (with a query in it, as GitHub's) and _TOKEN
//   azure.identityEndpoint, .identityHeader                 App Service's IDENTITY_ENDPOINT and IDENTITY_HEADER
//   azure.workloadToken                  a federated token that it trusts, for AZURE_FEDERATED_TOKEN_FILE
//   azure.requests    every request in order of arrival: { method, url, path, query, headers, body, json, form, at_ms,
//                     complete }. url: as it came; query and form: objects; json, form: undefined when it is none.
//                     at_ms counts from the start, on a monotonic clock; complete: the whole body has arrived
//   azure.runs        every script that a machine really started: { vm, script, parameters, commandId, kind }; kind is
//                     'action' or 'managed', this one with { name, runAsUser, runAsPassword, asyncExecution,
//                     timeoutInSeconds } too. vm: an instance of a scale set is SET_ID
//   azure.tokens      every bearer token: { token, audience, via, expires_ms }; via is 'secret', 'certificate',
//                     'github', 'workload', 'imds' or 'app-service'
//   azure.counts      { requests, runs }
//   azure.expireTokens()     all tokens that are out expire now; ARM answers 401 ExpiredAuthenticationToken
//   azure.fail(fault) the next request that it can meet and that has no fault yet meets this one;
//   azure.unusedFaults       those still to come
//   await azure.close()      ends the scripts that still run, too
//
// Options, all optional (an unknown one throws):
//   tls { key, cert }; port                 https in place of http; 0
//   vms             names or { name, os: 'Linux' | 'Windows', location, tags, powerState, agent, resourceGroup, roles,
//                   run, operationMs, userData }, or how many; usually linux-1 and windows-1. powerState: running,
//                   stopped, deallocated, starting, stopping; agent: 'Ready' or anything else
//   scaleSets       the same, with instances: IDs or how many; usually none
//   roles           { vm: [action…], resourceGroup: [action…] }: what the client may do, * stands for anything; usually
//                   everything. A role at the resource group holds for its VMs; whoever has one at a VM only can start
//                   a script there, and not poll it
//   run(vm, script, parameters)             { stdout, stderr, exitCode } or a promise of it, in place of a process;
//                   streams are strings or Buffers. A VM's own run comes before it
//   operationMs 50, updateMs 15000          the least time of an operation; how often a managed run command's output is
//                   renewed while it runs
//   pageSize 100, longUrls false, resultShape 'value'       of lists; operation URLs of 6 KB; 'array': in the async
//                   form properties.output is a bare array
//   retryAfter      a Retry-After for each 202 and each poll of a running operation; usually none
//   tokenSeconds 3600; clientSecret         how long a token is good; the secret it takes
//   certificates, workloadTokens            PEM of those that may sign assertions; more trusted tokens
//   keepRequests    false leaves requests, runs and tokens empty, for benchmarks
//
// Scripts are really run, with /bin/sh and with pwsh where it is on the PATH: azure_scripts.mjs tells how.
//
// Faults. These let Azure do its work and spoil the reply:
//   { kind: 'slow', delay_ms }              right, but late
//   { kind: 'reset-in-reply' }              head and half the body
//   { kind: 'truncated-json' }              a whole reply of half the body
//   { kind: 'no-headers' }  { kind: 'only-location' }  { kind: 'only-async' }             on what starts an operation
//   { kind: 'foreign-poll-host', origin }   there, too: the operation's URLs point to this origin
//   { kind: 'odd-case' }                    from here on the operation's status words are SUCCEEDED and inprogress
//   { kind: 'failed', code, message }       the operation has failed, or been canceled, whatever came of the script; on
//   { kind: 'canceled', status, code, message }           what starts it or on a poll
// These come in place of Azure's work, unless they carry accepted: true (then the script is started all the same):
//   { kind: 'status', status, body, headers }             body: a text, or an object for JSON; usually an error in
//                                           Entra's or ARM's shape
//   { kind: 'html' }   { kind: 'hang' }   { kind: 'reset-after-body' }
//   { kind: 'operation-not-found' }         a poll is told 404
// This never lets it be accepted:
//   { kind: 'reset-before-body' }           reset at once, nothing read
// Any of them may carry on: 'token', 'runCommand', 'poll', 'vm' (one VM, instance or scale set), 'list', 'managed-put',
// 'managed-get', 'managed-delete', 'permissions', 'github' or 'imds' (App Service's endpoint, too). Then it waits for
// such a request.
//
// Refuses what Azure refuses, with its words; startAzure() throws on an unknown option, fail() on a fault of unknown
// kind. Asserts nothing. A mistake of its own closes the connection and is printed on stderr.
//
// Alone: node azure.mjs [--port N] [--tls-key FILE --tls-cert FILE] [--vms N] [--operation-ms N] [--output TEXT]
// [--forget] [--fault JSON]...  prints its addresses as one line of JSON; SIGTERM or the end of stdin ends it.
// --output: no script is run, each one says TEXT. --forget is keepRequests: false, and prints the counts at the end.

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
import { answerOpenidConfiguration, answerToken } from './azure_entra.mjs';
import { answerFault, checkFault, replaces, spoilHeaders, spoilOperation, takeFault } from './azure_faults.mjs';
import { newMachines } from './azure_machines.mjs';
import {
  CLIENT_ID, LIMITS, RESOURCE_GROUP, SUBSCRIPTION, TENANT,
} from './azure_rules.mjs';
import { startScript } from './azure_scripts.mjs';
import { answerAppService, answerGithub, answerImds, expireTokens, newSignIn } from './azure_sign_in.mjs';

const GITHUB_PATH = '/github/idtoken/5c1f/0d1e';
const IMDS_PATH = '/metadata/identity/oauth2/token';
const APP_SERVICE_PATH = '/msi/token';
const OPTIONS = [
  'tls', 'port', 'vms', 'scaleSets', 'roles', 'run', 'operationMs', 'updateMs', 'pageSize', 'longUrls', 'resultShape',
  'retryAfter', 'tokenSeconds', 'clientSecret', 'certificates', 'workloadTokens', 'keepRequests',
];

export async function startAzure(options = {}) {
  const odd = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (odd) throw new Error(`no such option: ${odd}`);
  const azure = {
    machines: newMachines(options.vms, options.scaleSets), signIn: newSignIn(options),
    roles: { vm: ['*'], resourceGroup: ['*'], ...options.roles },
    operationMs: options.operationMs ?? 50, updateMs: options.updateMs ?? 15000,
    pageSize: options.pageSize ?? LIMITS.page, keepRequests: options.keepRequests ?? true,
    longUrls: options.longUrls ?? false, resultShape: options.resultShape ?? 'value', retryAfter: options.retryAfter,
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
    workloadToken: signIn.workloadToken, tenant: TENANT, clientId: CLIENT_ID, clientSecret: signIn.clientSecret,
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
function startRun(azure, run, machine, { lines, parameters, commandId, kind, also }) {
  azure.counts.runs += 1;
  const noted = { vm: machine.name, script: lines.join('\n'), parameters, commandId, kind, ...also };
  if (azure.keepRequests) azure.runs.push(noted);
  const script = startScript(azure.folder, { ...machine, run: machine.run ?? run }, { lines, parameters, kind });
  azure.scripts.add(script);
  script.ended.catch(() => {}).finally(() => script.isOver() && azure.scripts.delete(script));
  return script;
}

// --- One request, start to end ---

async function serve(azure, req, res) {
  const { socket } = req; // req.socket goes when the client does
  const { pathname, searchParams } = new URL(req.url, azure.url);
  const { kind, call } = route(req.method, pathname);
  const fault = takeFault(azure.faults, kind);
  const request = {
    method: req.method, url: req.url, path: pathname, query: Object.fromEntries(searchParams), headers: req.headers,
    body: '', json: undefined, form: undefined, at_ms: performance.now() - azure.started_ms, complete: false,
  };
  azure.counts.requests += 1;
  if (azure.keepRequests) azure.requests.push(request);
  if (fault?.kind === 'reset-before-body') return reset(socket);
  if (!await readBody(req, request)) return;
  await deliver(azure, req, res, answerFor(azure, request, { kind, call }, fault), fault);
}

function answerFor(azure, request, { kind, call }, fault) {
  const work = { ...request, operation: undefined }; // what is noted down stays as it came
  if (replaces(fault)) {
    if (fault.accepted) call(azure, work);
    return answerFault(fault, kind, request);
  }
  if (kind === 'poll' && fault) spoilOperation(fault, azure.operations.get(request.path.split('/').at(-1)));
  const answer = call(azure, work);
  if (kind !== 'poll' && fault) spoilOperation(fault, work.operation);
  return fault ? spoilHeaders(fault, answer) : answer;
}

// A slash at the end changes nothing: the official client sends one to IMDS.
function route(method, address) {
  const path = address.replace(/\/$/, '');
  const [, tenant, below] = /^\/([^/]+)\/(.+)$/.exec(path) ?? [];
  if (below === 'oauth2/v2.0/token') {
    return { kind: 'token', call: (azure, request) => answerToken(azure, request, tenant) };
  }
  if (below === 'v2.0/.well-known/openid-configuration') {
    return { kind: 'other', call: (azure) => answerOpenidConfiguration(azure, tenant) };
  }
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
  const isForm = type === 'application/x-www-form-urlencoded';
  if (isForm) request.form = Object.fromEntries(new URLSearchParams(request.body));
  else request.json = parseJson(request.body);
  return true;
}

function parseJson(text) {
  if (text === '') return undefined;
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
      res.writeHead(answer.status, { ...headersOf(answer), 'content-length': Math.max(body.length, 2) });
      return res.write(half.length > 0 ? half : ' ', () => req.socket.destroy());
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
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, end);
  process.stdin.once('end', end).resume();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch((error) => {
    console.error(`azure.mjs: ${error.message}`);
    process.exit(64);
  });
}
