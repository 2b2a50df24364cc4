// A stand-in Azure Functions host: starts the custom handler of an app folder and brings requests to it, in all forms.
//
//   const host = await startHost(appDir, { form, env, args, port, ready_ms, stop_ms, onlyOldPort, coreTools });
//   host.url, .pid, .handlerUrl   where it listens; the handler's process, and where that listens
//   host.form          'httpWorker' (legacy) | 'envelope' | 'forwarding' | 'proxying'
//   host.functions     as readFunctions() gives them (functions_routes.mjs)
//   host.ready_ms      how long the handler took until its first answer
//   host.lines         what the handler wrote: { stream: 'stdout' | 'stderr', text }, a line each
//   host.logs          the Logs of envelopes: { fn, message }
//   host.failures      invocations that failed: { fn, message }; their callers got a 500 (502 when proxying)
//   host.exited        promise of { code, signal }, the end of the handler's process and of its output
//   await host.invoke(name, value, { metadata }) -> { outputs, returnValue, logs }     any trigger, in the envelope;
//                      outputs: those that function.json names. value: text, bytes, or an object. Rejects on failure
//   await host.ping()  asks the handler's / once more, as the real host does from time to time: its status
//   await host.stop()  SIGTERM to the handler, SIGKILL after stop_ms (10 s): { code, signal, ms, killed }
//
// Options, all optional. form: instead of what host.json says. env: app settings; the handler gets these, PATH and what
// the host sets, nothing else. args: after those of host.json. onlyOldPort: a host that sets FUNCTIONS_HTTPWORKER_*
// alone. coreTools: envelopes with Content-Length, as from `func start`; the service sends them chunked.
//
// startHost rejects, and leaves no process, when host.json or a function.json is no good, when the handler can't be
// started, when it ends before its first answer, and when none comes in ready_ms (60 s, as Azure's page says; in the
// sources 30 s, customHandler.initializationTimeout, which is obeyed). Any HTTP answer will do.
// The handler sees the full path when forwarding and proxying, else /<function>. Functions that are not HTTP in and
// HTTP out alone get the envelope in every form. One whose authLevel is not anonymous answers 401: there are no keys.
//
// Read from azure-functions-host's sources, not tried on a real host (functions_wire.mjs says more). There, but not
// here: a handler that ends is started again, and the host stops after the third end in a row; requests that fail to
// connect are tried again when proxying; redirects are followed in the envelope and legacy forms; headers of Azure's
// front end (X-Forwarded-For, X-ARR-…); %NAME% in paths. Unconfirmed: the signal by which the service ends a handler.
// Asserts nothing.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { isAbsolute, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { findRoute, readFunctions } from './functions_routes.mjs';
import {
  HOST_VERSION, forwardedRequest, hostHeaders, httpData, httpReply, proxiedHeaders, readResult, triggerData,
  triggerMetadata,
} from './functions_wire.mjs';

const FORMS = ['httpWorker', 'envelope', 'forwarding', 'proxying'];
const PING_PAUSE_MS = 25;
const READY_MS = 60_000;
const STOP_MS = 10_000;

export async function startHost(appDir, options = {}) {
  const root = resolve(appDir);
  const config = readConfig(root, options);
  const host = {
    ...config, root, coreTools: options.coreTools ?? false, functions: readFunctions(root),
    lines: [], logs: [], failures: [],
    agent: new http.Agent({ keepAlive: true }), // as the real host: a handler that stops has idle connections
  };
  host.handlerPort = config.port ?? await freePort();
  const child = startHandler(host, options);
  const exited = watch(host, child);
  const stop_ms = options.stop_ms ?? STOP_MS;
  const server = http.createServer((req, res) => serve(host, req, res));
  try {
    const start_ms = performance.now();
    await waitUntilReady(host, exited);
    host.ready_ms = performance.now() - start_ms;
    server.listen(options.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    await stopHandler(child, exited, stop_ms);
    host.agent.destroy();
    throw error;
  }
  host.url = `http://127.0.0.1:${server.address().port}`;
  return {
    url: host.url, handlerUrl: `http://127.0.0.1:${host.handlerPort}`, pid: child.pid, form: host.form,
    functions: host.functions, ready_ms: host.ready_ms, lines: host.lines, logs: host.logs, failures: host.failures,
    exited,
    invoke: (name, value, { metadata } = {}) => invokeTrigger(host, name, value, metadata),
    ping: async () => (await ask(host, { method: 'GET', path: '/' })).status,
    async stop() {
      const closed = server.listening ? once(server, 'close') : undefined;
      server.close();
      const end = await stopHandler(child, exited, stop_ms);
      host.agent.destroy();
      server.closeAllConnections();
      await closed;
      return end;
    },
  };
}

// --- The app folder ---

function readConfig(root, options) {
  const hostJson = JSON.parse(readFileSync(join(root, 'host.json'), 'utf8'));
  const section = hostJson.customHandler ?? hostJson.httpWorker; // customHandler wins
  if (!section?.description?.defaultExecutablePath) {
    throw new Error('host.json names no description.defaultExecutablePath of a customHandler or httpWorker');
  }
  const form = options.form ?? formOf(hostJson);
  if (!FORMS.includes(form)) throw new Error(`no such form: ${form}`);
  return {
    form, port: section.port, description: section.description,
    routePrefix: hostJson.extensions?.http?.routePrefix ?? 'api',
    ready_ms: options.ready_ms ?? readSpan(section.initializationTimeout) ?? READY_MS,
  };
}

function formOf({ customHandler }) {
  if (!customHandler) return 'httpWorker';
  if (customHandler.enableProxyingHttpRequest) return 'proxying'; // it is asked first
  return customHandler.enableForwardingHttpRequest ? 'forwarding' : 'envelope';
}

function readSpan(text) {
  const [, hours, minutes, seconds] = text?.match(/^(\d+):(\d+):(\d+)$/) ?? [];
  return seconds && ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// --- The handler's process ---

function startHandler(host, { env = {}, args = [], onlyOldPort = false }) {
  const { root, description } = host;
  const { defaultExecutablePath: path, defaultWorkerPath, workingDirectory = '' } = description;
  const inFolder = isAbsolute(path) ? path : join(root, path);
  const command = existsSync(inFolder) ? inFolder : path; // else one on the PATH
  const id = randomUUID();
  const port = String(host.handlerPort);
  const set = {
    FUNCTIONS_HTTPWORKER_PORT: port, FUNCTIONS_HTTPWORKER_ID: id, FUNCTIONS_APP_ROOT_PATH: root,
  };
  if (!onlyOldPort) Object.assign(set, { FUNCTIONS_CUSTOMHANDLER_PORT: port, FUNCTIONS_CUSTOMHANDLER_WORKER_ID: id });
  const all = [
    ...description.arguments ?? [], ...defaultWorkerPath ? [defaultWorkerPath] : [],
    ...description.workerArguments ?? [], ...args,
  ];
  return spawn(command, all, {
    cwd: resolve(root, workingDirectory), stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, FUNCTIONS_WORKER_RUNTIME: 'custom', ...env, ...set },
  });
}

// Collects its lines; resolves when it has ended, or could not begin: { code, signal, error }.
function watch(host, child) {
  for (const stream of ['stdout', 'stderr']) {
    createInterface(child[stream]).on('line', (text) => host.lines.push({ stream, text }));
  }
  return new Promise((done) => {
    child.on('error', (error) => child.pid ?? done({ code: null, signal: null, error }));
    child.on('close', (code, signal) => done({ code, signal }));
  });
}

async function waitUntilReady(host, exited) {
  const end_ms = performance.now() + host.ready_ms;
  const stop = new AbortController();
  const asked = askUntilReady(host, end_ms, stop.signal);
  const ended = exited.then(({ code, signal, error }) => {
    const how = error ? `could not be started: ${error.message}` : `ended with ${signal ?? code} before it was ready`;
    throw new Error(`the handler ${how}${lastLines(host)}`);
  });
  try {
    await Promise.race([asked, ended]);
  } finally {
    stop.abort();
    ended.catch(() => {});
    await asked.catch(() => {});
  }
}

async function askUntilReady(host, end_ms, signal) {
  for (;;) {
    const left_ms = end_ms - performance.now();
    if (left_ms <= 0) throw new Error(`the handler gave no answer in ${host.ready_ms} ms${lastLines(host)}`);
    const answer = await ask(host, { method: 'GET', path: '/', timeout_ms: left_ms, signal }).catch(() => undefined);
    if (answer || signal.aborted) return;
    await delay(Math.min(PING_PAUSE_MS, Math.max(0, end_ms - performance.now())));
  }
}

function lastLines({ lines }) {
  const last = lines.slice(-5).map(({ stream, text }) => `${stream}: ${text}`);
  return last.length ? `; it wrote:\n${last.join('\n')}` : '';
}

async function stopHandler(child, exited, stop_ms) {
  const start_ms = performance.now();
  const running = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  if (running) child.kill('SIGTERM');
  let killed = false;
  const timer = setTimeout(() => {
    killed = child.kill('SIGKILL');
    for (const stream of [child.stdout, child.stderr]) stream.destroy(); // a child of its own may hold them open
  }, stop_ms);
  const { code, signal } = await exited;
  clearTimeout(timer);
  return { code, signal, ms: performance.now() - start_ms, killed };
}

// --- One request to the handler ---

// Resolves with the head of the answer as a stream.
function send(host, { method, path, headers = {}, body, timeout_ms, signal }) {
  return new Promise((done, reject) => {
    const request = http.request({
      host: '127.0.0.1', port: host.handlerPort, method, path, headers, agent: host.agent, signal,
    });
    const timer = timeout_ms && setTimeout(() => request.destroy(new Error('no answer')), timeout_ms);
    request.on('close', () => clearTimeout(timer));
    request.on('error', reject);
    request.on('response', done);
    if (!body?.pipe) return request.end(body);
    body.on('close', () => body.complete || request.destroy());
    return body.pipe(request);
  });
}

async function ask(host, request) {
  const response = await send(host, request);
  const body = Buffer.concat(await response.toArray());
  return { status: response.statusCode, headers: response.headers, rawHeaders: response.rawHeaders, body };
}

async function askEnvelope(host, fn, data, metadata) {
  const json = JSON.stringify({ Data: { [fn.trigger.name]: data }, Metadata: metadata });
  const headers = {
    ...hostHeaders(randomUUID()), 'User-Agent': `Azure-Functions-Host/${HOST_VERSION}`,
    'Content-Type': 'application/json; charset=utf-8',
  };
  if (host.coreTools) headers['Content-Length'] = String(Buffer.byteLength(json));
  else headers['Transfer-Encoding'] = 'chunked';
  const reply = await ask(host, { method: 'POST', path: `/${encodeURIComponent(fn.name)}`, headers, body: json });
  const result = readResult(reply);
  for (const message of result.logs) host.logs.push({ fn: fn.name, message });
  return result;
}

async function invokeTrigger(host, name, value, fields = {}) {
  const fn = host.functions.find((each) => each.name === name);
  if (!fn) throw new Error(`no such function: ${name}`);
  const { outputs, ...result } = await askEnvelope(host, fn, triggerData(value), triggerMetadata(name, fields));
  const named = fn.outputs.filter((binding) => Object.hasOwn(outputs, binding.name));
  return { outputs: Object.fromEntries(named.map((binding) => [binding.name, outputs[binding.name]])), ...result };
}

// --- One request from outside ---

async function serve(host, req, res) {
  const [path] = req.url.split('?');
  const route = findRoute(host.functions, host.routePrefix, req.method, path);
  if (!route) return answer(res, 404);
  const { fn, params } = route;
  if (fn.authLevel !== 'anonymous') return answer(res, 401);
  const plain = fn.outputs.length === 1 && fn.outputs[0].type.toLowerCase() === 'http';
  try {
    if (plain && host.form === 'proxying') return await proxy(host, req, res);
    const body = Buffer.concat(await req.toArray());
    if (plain && host.form !== 'envelope') return await forward(host, fn, req, body, res);
    const data = httpData(req, body, `http://${req.headers.host}`, params);
    const { status, headers, body: text } = httpReply(fn, await askEnvelope(host, fn, data, triggerMetadata(fn.name)));
    return answer(res, status, headers, text);
  } catch (error) {
    host.failures.push({ fn: fn.name, message: error.message });
    if (res.headersSent) return res.destroy();
    return answer(res, plain && host.form === 'proxying' ? 502 : 500);
  }
}

function answer(res, status, headers = {}, body = '') {
  res.writeHead(status, headers);
  res.end(body);
}

async function forward(host, fn, req, body, res) {
  const path = host.form === 'forwarding' ? req.url.split('?')[0] : `/${encodeURIComponent(fn.name)}`;
  const request = forwardedRequest(req, body, path);
  Object.assign(request.headers, hostHeaders(randomUUID()));
  const reply = await ask(host, { method: req.method, ...request });
  copyHead(reply.status, reply.rawHeaders, res);
  res.end(reply.body);
}

async function proxy(host, req, res) {
  const id = randomUUID();
  const headers = { ...proxiedHeaders(req), ...hostHeaders(id), 'x-ms-invocation-id': id };
  const response = await send(host, { method: req.method, path: req.url, headers, body: req });
  copyHead(response.statusCode, response.rawHeaders, res);
  res.flushHeaders();
  await pipeline(response, res);
}

function copyHead(status, rawHeaders, res) {
  res.statusCode = status;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].toLowerCase();
    if (!['connection', 'keep-alive', 'transfer-encoding'].includes(name)) res.appendHeader(name, rawHeaders[i + 1]);
  }
}
