// Tries the stand-in Azure Functions host on a small custom handler that tells what it was sent, in all forms. The
// real host was not asked: what this holds it to is Azure's page and the sources named in functions_wire.mjs.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { startHost } from '../standin/functions_host.mjs';
import { findRoute } from '../standin/functions_routes.mjs';
import { deliver, messageEvent, signed, slashCommand } from '../standin/slack_events.mjs';
import { folder } from './support.mjs';

const LIMIT = { timeout: 30_000 };
const SECTIONS = {
  httpWorker: (section) => ({ httpWorker: section }),
  envelope: (section) => ({ customHandler: section }),
  forwarding: (section) => ({ customHandler: { ...section, enableForwardingHttpRequest: true } }),
  proxying: (section) => ({ customHandler: { ...section, enableProxyingHttpRequest: true } }),
};
const PLAIN_FORMS = ['httpWorker', 'forwarding', 'proxying'];

// Tells in its reply what it was sent, in the envelope by function; its mode (the first argument) spoils it.
const HANDLER = `
import http from 'node:http';
const [mode] = process.argv.slice(2);
if (mode === 'dies') { console.error('no settings: giving up'); process.exit(3); }
if (mode === 'deaf') process.on('SIGTERM', () => console.log('not now'));
else process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });
const server = http.createServer(async (req, res) => {
  const body = Buffer.concat(await req.toArray());
  const told = { method: req.method, url: req.url, headers: req.headers, body: body.toString('base64') };
  if (mode === 'mute') return;
  if (req.url.includes('die')) process.exit(4);
  if (req.url.includes('hello')) console.log('asked for ' + req.url);
  if (!body.toString().startsWith('{"Data"')) {
    res.writeHead(207, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] });
    return res.end(JSON.stringify(told));
  }
  const { Data } = JSON.parse(body);
  const [value] = Object.values(Data);
  const answers = {
    hello: { Outputs: { res: { statusCode: 207, body: JSON.stringify(told), headers: { 'X-Told': 'yes' } },
      extra: 1 }, Logs: ['told'], ReturnValue: null },
    onQueue: { Outputs: { next: ['one', 'two'], unnamed: 1 }, Logs: ['got ' + value, 'second'],
      ReturnValue: told },
    returns: { Outputs: {}, Logs: null, ReturnValue: { status: '201', body: { made: true } } },
    returnsText: { Outputs: null, ReturnValue: 'just text' },
    missing: { Outputs: {}, Logs: [], ReturnValue: null },
  };
  const name = req.url.slice(1);
  if (name === 'broken') return res.writeHead(200, { 'content-type': 'application/json' }).end('{');
  if (name === 'fails') return res.writeHead(400, { 'content-type': 'application/json' }).end('{}');
  if (name === 'untyped') return res.writeHead(200).end('{}');
  res.writeHead(200, { 'content-type': 'application/json' });
  res.end(JSON.stringify(answers[name] ?? answers.hello));
});
const port = process.env.FUNCTIONS_CUSTOMHANDLER_PORT ?? process.env.FUNCTIONS_HTTPWORKER_PORT;
console.log(JSON.stringify({ pid: process.pid, args: process.argv.slice(2), cwd: process.cwd(), env: process.env }));
if (mode !== 'silent') setTimeout(() => server.listen(port, '127.0.0.1'), mode === 'late' ? 300 : 0);
else setInterval(() => {}, 1000);
`;

const trigger = (more) => ({ type: 'httpTrigger', direction: 'in', name: 'req', authLevel: 'anonymous', ...more });
const out = { type: 'http', direction: 'out', name: 'res' };
const FUNCTIONS = {
  hello: [trigger({ methods: ['get', 'post'], route: 'slack/{kind}/{id:int?}' }), out],
  onQueue: [
    { type: 'queueTrigger', direction: 'in', name: 'item', queueName: 'in' },
    { type: 'queue', direction: 'out', name: 'next', queueName: 'out' },
  ],
  both: [trigger({}), out, { type: 'queue', direction: 'out', name: 'next', queueName: 'out' }],
  returns: [trigger({}), { ...out, name: '$return' }],
  returnsText: [trigger({}), { ...out, name: '$return' }],
  missing: [trigger({}), out], broken: [trigger({}), out], fails: [trigger({}), out], untyped: [trigger({}), out],
  die: [trigger({}), out],
  secret: [trigger({ authLevel: 'function' }), out],
  off: { disabled: true, bindings: [trigger({}), out] },
};

// An app folder whose handler is an executable of its own, named relative to the folder.
function appFor(t, form, { args = [], functions = FUNCTIONS, section = {} } = {}) {
  const root = folder(t);
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'bin/handler.mjs'), HANDLER);
  const script = `#!/bin/sh\nexec "${process.execPath}" "$(dirname "$0")/handler.mjs" "$@"\n`;
  writeFileSync(join(root, 'bin/handler'), script);
  chmodSync(join(root, 'bin/handler'), 0o755);
  const description = { defaultExecutablePath: 'bin/handler', arguments: args };
  const hostJson = { version: '2.0', ...SECTIONS[form]({ description, ...section }) };
  writeFileSync(join(root, 'host.json'), JSON.stringify(hostJson));
  for (const [name, bindings] of Object.entries(functions)) {
    mkdirSync(join(root, name));
    const json = Array.isArray(bindings) ? { bindings } : bindings;
    writeFileSync(join(root, name, 'function.json'), JSON.stringify(json));
  }
  return root;
}

async function hostFor(t, form, { options, ...app } = {}) {
  const host = await startHost(appFor(t, form, app), options);
  t.after(() => host.stop());
  return host;
}

// One request: { status, headers, text, told }. told: what the handler says it got, body decoded.
function ask(host, path, { method = 'GET', headers = {}, body, chunked = false } = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined || chunked ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const request = http.request(host.url + path, { method, headers: { ...length, ...headers }, agent: false });
    request.on('error', reject);
    request.on('response', async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      const told = text.startsWith('{') ? JSON.parse(text) : undefined;
      if (told?.body) told.body = Buffer.from(told.body, 'base64');
      resolve({ status: response.statusCode, headers: response.headers, text, told });
    });
    if (chunked) request.write(body);
    request.end(chunked ? undefined : body);
  });
}

const alive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const bytes = Buffer.from('{"text":"Grüße 🚀 \\u00e9 \u0000\u007f\ufeff — end"}\r\n');
const PATHS = { httpWorker: '/hello', forwarding: '/api/slack/events/7', proxying: '/api/slack/events/7' };

// --- The forms that pass the request on ---

for (const form of PLAIN_FORMS) {
  test(`${form}: a POST keeps its bytes, headers and query`, LIMIT, async (t) => {
    const host = await hostFor(t, form);
    assert.equal(host.form, form);
    const headers = { 'Content-Type': 'text/plain', 'X-Mine': 'a', 'User-Agent': 'Slackbot 1.0' };
    const { status, headers: replied, told } = await ask(host, '/api/slack/events/7?a=1&b=x%20y', {
      method: 'POST', headers, body: bytes,
    });
    assert.deepEqual([status, replied['set-cookie']], [207, ['a=1', 'b=2']]);
    assert.equal(told.method, 'POST');
    assert.equal(told.url, `${PATHS[form]}?a=1&b=x%20y`);
    assert.ok(told.body.equals(bytes));
    assert.deepEqual([told.headers['content-type'], told.headers['x-mine'], told.headers['content-length']],
      ['text/plain', 'a', String(bytes.length)]);
    assert.equal(`http://${told.headers.host}`, host.url);
    assert.match(told.headers['x-azure-functions-invocationid'], /^[0-9a-f-]{36}$/);
    assert.match(told.headers['user-agent'], form === 'proxying' ? /^Slackbot 1.0$/ : /^Slackbot 1.0 Azure-Functions-/);
  });

  test(`${form}: a GET has no body and, but for proxying, no Content-Type`, LIMIT, async (t) => {
    const host = await hostFor(t, form);
    const { told } = await ask(host, '/api/slack/events', { headers: { 'Content-Type': 'text/plain' } });
    assert.deepEqual([told.method, told.body, told.headers['content-length']], ['GET', '', undefined]);
    assert.equal(told.headers['content-type'], form === 'proxying' ? 'text/plain' : undefined);
  });

  test(`${form}: a chunked POST ${form === 'proxying' ? 'passes' : 'fails'}`, LIMIT, async (t) => {
    const host = await hostFor(t, form);
    const { status, told } = await ask(host, '/api/slack/x', { method: 'POST', body: bytes, chunked: true });
    if (form !== 'proxying') return assert.deepEqual([status, host.failures.length], [500, 1]);
    return assert.deepEqual([status, told.body.equals(bytes)], [207, true]);
  });

  test(`${form}: Slack's signed requests arrive as they were signed`, LIMIT, async (t) => {
    const host = await hostFor(t, form);
    const request = signed(messageEvent({ text: 'ü/"' }));
    const told = JSON.parse((await deliver(`${host.url}/api/slack/events`, request)).body);
    assert.ok(Buffer.from(told.body, 'base64').equals(request.body));
    for (const name of ['x-slack-signature', 'x-slack-request-timestamp', 'content-type']) {
      assert.equal(told.headers[name], request.headers[name]);
    }
  });

  test(`${form}: a function with another output gets the envelope`, LIMIT, async (t) => {
    const host = await hostFor(t, form);
    const { status, told } = await ask(host, '/api/both');
    assert.deepEqual([status, told.url, host.logs], [207, '/both', [{ fn: 'both', message: 'told' }]]);
  });
}

test('forwarding joins doubled names of the query, proxying does not touch it', LIMIT, async (t) => {
  for (const [form, query] of [['forwarding', 'a=1%2C2&b='], ['proxying', 'a=1&a=2&b']]) {
    const host = await hostFor(t, form);
    assert.equal((await ask(host, '/api/slack/x?a=1&a=2&b')).told.url, `/api/slack/x?${query}`);
  }
});

test('the form may be another than that of host.json', LIMIT, async (t) => {
  const host = await hostFor(t, 'envelope', { options: { form: 'httpWorker' } });
  assert.equal((await ask(host, '/api/slack/x')).told.url, '/hello');
});

// --- The envelope ---

test('envelope: all of the request stands in Data, and Outputs become the reply', LIMIT, async (t) => {
  const host = await hostFor(t, 'envelope');
  const { status, headers, told } = await ask(host, '/api/slack/events/7?a=1&a=2&b=x%20y', {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Two': ['1', '2'] }, body: bytes,
  });
  assert.deepEqual([status, headers['x-told'], headers['content-type']], [207, 'yes', 'text/plain; charset=utf-8']);
  assert.deepEqual([told.method, told.url, told.headers['content-type']],
    ['POST', '/hello', 'application/json; charset=utf-8']);
  assert.deepEqual([told.headers['transfer-encoding'], told.headers['content-length']], ['chunked', undefined]);
  const { Data: { req }, Metadata } = JSON.parse(told.body);
  assert.equal(req.Url, `${host.url}/api/slack/events/7?a=1&a=2&b=x%20y`);
  assert.deepEqual([req.Method, req.Query, req.Params],
    ['POST', { a: '1,2', b: 'x y' }, { kind: 'events', id: '7' }]);
  assert.deepEqual([req.Headers['Content-Type'], req.Headers['X-Two']], [['application/json'], ['1', '2']]);
  assert.equal(req.Body, bytes.toString());
  assert.equal(Metadata.sys.MethodName, 'hello');
  assert.deepEqual(host.logs, [{ fn: 'hello', message: 'told' }]);
});

test("envelope: the signature of Slack's request holds for Body", LIMIT, async (t) => {
  const host = await hostFor(t, 'envelope');
  const raw = JSON.stringify(messageEvent({ text: 'ü/"' }));
  for (const request of [signed(raw), signed(slashCommand({ text: 'a & ü' }))]) {
    const told = JSON.parse((await deliver(`${host.url}/api/slack/events`, request)).body);
    const { Headers, Body } = JSON.parse(Buffer.from(told.body, 'base64')).Data.req;
    const [timestamp] = Headers['X-Slack-Request-Timestamp'];
    assert.deepEqual(Headers['X-Slack-Signature'], [signed(Body, { timestamp }).headers['x-slack-signature']]);
    assert.deepEqual(Headers['Content-Type'], [request.headers['content-type']]);
  }
});

test('envelope: a GET has no Body, bytes are base64, Core Tools sends a length', LIMIT, async (t) => {
  const host = await hostFor(t, 'envelope', { options: { coreTools: true } });
  const get = (await ask(host, '/api/slack/x')).told;
  assert.equal(get.headers['content-length'], String(get.body.length));
  assert.equal(Object.hasOwn(JSON.parse(get.body).Data.req, 'Body'), false);
  const headers = { 'Content-Type': 'application/octet-stream' };
  const { told } = await ask(host, '/api/slack/x', { method: 'POST', headers, body: Buffer.of(0, 255, 128) });
  assert.equal(JSON.parse(told.body).Data.req.Body, 'AP+A');
});

test('envelope: $return takes ReturnValue', LIMIT, async (t) => {
  const host = await hostFor(t, 'envelope');
  const made = await ask(host, '/api/returns');
  assert.deepEqual([made.status, made.text, made.headers['content-type']],
    [201, '{"made":true}', 'application/json; charset=utf-8']);
  const text = await ask(host, '/api/returnsText');
  assert.deepEqual([text.status, text.text], [200, 'just text']);
});

const BAD = {
  missing: /no response under res/, broken: /no JSON/, fails: /answered 400/, untyped: /Content-Type undefined/,
};
for (const [name, message] of Object.entries(BAD)) {
  test(`envelope: an answer that is no good fails the invocation (${name})`, LIMIT, async (t) => {
    const host = await hostFor(t, 'envelope');
    assert.equal((await ask(host, `/api/${name}`)).status, 500);
    assert.equal(host.failures[0].fn, name);
    assert.match(host.failures[0].message, message);
  });
}

for (const form of Object.keys(SECTIONS)) {
  test(`${form}: a queue message is JSON within the envelope`, LIMIT, async (t) => {
    const host = await hostFor(t, form);
    const reply = await host.invoke('onQueue', 'hi "there" ü', { metadata: { DequeueCount: 1, Id: 'x' } });
    assert.deepEqual(reply.outputs, { next: ['one', 'two'] });
    assert.deepEqual(reply.logs, ['got "hi \\"there\\" ü"', 'second']);
    assert.deepEqual([reply.returnValue.method, reply.returnValue.url], ['POST', '/onQueue']);
    const { Data, Metadata } = JSON.parse(Buffer.from(reply.returnValue.body, 'base64'));
    assert.deepEqual(Data, { item: '"hi \\"there\\" ü"' });
    assert.deepEqual([Metadata.DequeueCount, Metadata.Id, Metadata.sys.MethodName], ['1', '"x"', 'onQueue']);
    const object = JSON.parse(Buffer.from((await host.invoke('onQueue', { a: 1 })).returnValue.body, 'base64'));
    assert.deepEqual(object.Data, { item: { a: 1 } });
    await assert.rejects(host.invoke('nothing', ''), /no such function: nothing/);
  });
}

// --- Routes ---

test('no such route, another method, a function that wants a key, one that is off', LIMIT, async (t) => {
  const host = await hostFor(t, 'envelope');
  const statuses = [];
  for (const path of ['/', '/slack/x', '/api/slack', '/api/slack/a/1/2', '/api/off', '/api/onQueue', '/api/secret']) {
    statuses.push((await ask(host, path)).status);
  }
  statuses.push((await ask(host, '/api/slack/x', { method: 'PUT', body: '' })).status);
  assert.deepEqual(statuses, [404, 404, 404, 404, 404, 404, 401, 404]);
});

test('literal parts before parameters before the rest, in any case', () => {
  const fn = (name, route) => ({ name, route });
  const functions = [fn('rest', '{*all}'), fn('id', 'a/{id}'), fn('b', 'a/b')];
  const find = (path, prefix = 'api') => {
    const route = findRoute(functions, prefix, 'GET', path);
    return route && [route.fn.name, route.params];
  };
  assert.deepEqual(find('/api/A/B'), ['b', {}]);
  assert.deepEqual(find('/api/a/c%20d'), ['id', { id: 'c d' }]);
  assert.deepEqual(find('/api/a/b/c'), ['rest', { all: 'a/b/c' }]);
  assert.deepEqual(find('/a/b/c', ''), ['rest', { all: 'a/b/c' }]);
  assert.equal(find('/elsewhere'), undefined);
});

// --- The handler's life ---

test('the handler gets its arguments, its folder, its settings and nothing else', LIMIT, async (t) => {
  const options = { args: ['--more'], env: { SLACK_TOKEN: 'x' } };
  const host = await hostFor(t, 'envelope', { args: ['first', 'a b'], options });
  const { env, args, cwd } = JSON.parse(host.lines[0].text);
  assert.deepEqual(args, ['first', 'a b', '--more']);
  assert.equal(cwd, env.FUNCTIONS_APP_ROOT_PATH);
  assert.equal(host.handlerUrl, `http://127.0.0.1:${env.FUNCTIONS_CUSTOMHANDLER_PORT}`);
  assert.equal(env.FUNCTIONS_HTTPWORKER_PORT, env.FUNCTIONS_CUSTOMHANDLER_PORT);
  assert.deepEqual([env.SLACK_TOKEN, env.HOME], ['x', undefined]);
});

test('an old host sets the old port alone', LIMIT, async (t) => {
  const host = await hostFor(t, 'httpWorker', { options: { onlyOldPort: true } });
  assert.equal(JSON.parse(host.lines[0].text).env.FUNCTIONS_CUSTOMHANDLER_PORT, undefined);
  assert.equal((await ask(host, '/api/slack/x')).status, 207);
});

test('it waits for a handler that listens late, any answer will do, and SIGTERM ends it', LIMIT, async (t) => {
  const host = await hostFor(t, 'forwarding', { args: ['late'] });
  assert.ok(host.ready_ms >= 250, `${host.ready_ms}`);
  assert.equal(await host.ping(), 207);
  await ask(host, '/api/slack/hello');
  const { code, signal, killed } = await host.stop();
  assert.deepEqual([code, signal, killed, alive(host.pid)], [0, null, false, false]);
  assert.deepEqual(host.lines.slice(1), [
    { stream: 'stdout', text: 'asked for /api/slack/hello' }, { stream: 'stdout', text: 'bye' },
  ]);
  await assert.rejects(ask(host, '/'), { code: 'ECONNREFUSED' });
  await host.stop();
});

test('a handler that heeds no SIGTERM is killed', LIMIT, async (t) => {
  const host = await hostFor(t, 'envelope', { args: ['deaf'], options: { stop_ms: 200 } });
  const { code, signal, killed, ms } = await host.stop();
  assert.deepEqual([code, signal, killed, alive(host.pid)], [null, 'SIGKILL', true, false]);
  assert.ok(ms >= 190);
});

for (const mode of ['silent', 'mute']) {
  test(`a handler that never answers is given up in time (${mode})`, LIMIT, async (t) => {
    const start_ms = performance.now();
    const app = appFor(t, 'envelope', { args: [mode] });
    await assert.rejects(startHost(app, { ready_ms: 600 }), (error) => {
      const [, line] = error.message.match(/^the handler gave no answer in 600 ms; it wrote:\nstdout: (.*)$/m);
      assert.equal(alive(JSON.parse(line).pid), false);
      return true;
    });
    assert.ok(performance.now() - start_ms < 5000);
  });
}

test('initializationTimeout bounds the wait', LIMIT, async (t) => {
  const app = appFor(t, 'envelope', { args: ['silent'], section: { initializationTimeout: '00:00:01' } });
  await assert.rejects(startHost(app), /no answer in 1000 ms/);
});

test('a handler that ends before it is ready is told with its last words', LIMIT, async (t) => {
  const app = appFor(t, 'envelope', { args: ['dies'] });
  await assert.rejects(startHost(app), (error) => {
    assert.equal(error.message,
      'the handler ended with 3 before it was ready; it wrote:\nstderr: no settings: giving up');
    return true;
  });
});

test('no such executable, one without the right to run, host.json without one', LIMIT, async (t) => {
  for (const [path, reason] of [['bin/none', /ENOENT/], ['bin/handler.mjs', /EACCES/]]) {
    const app = appFor(t, 'envelope', { section: { description: { defaultExecutablePath: path } } });
    await assert.rejects(startHost(app), reason);
  }
  const app = appFor(t, 'envelope', { section: { description: {} } });
  await assert.rejects(startHost(app), /names no description.defaultExecutablePath/);
});

for (const [form, status] of [['envelope', 500], ['forwarding', 500], ['proxying', 502]]) {
  test(`${form}: a handler that dies at work fails the request, and those after it`, LIMIT, async (t) => {
    const host = await hostFor(t, form);
    assert.equal((await ask(host, '/api/die')).status, status);
    assert.deepEqual(await host.exited, { code: 4, signal: null });
    assert.equal((await ask(host, '/api/slack/x', { method: 'POST', body: 'x' })).status, status);
    assert.deepEqual(host.failures.map(({ fn }) => fn), ['die', 'hello']);
    await assert.rejects(host.invoke('onQueue', ''));
    assert.deepEqual((await host.stop()).code, 4);
  });
}

test('proxying streams both ways', LIMIT, async (t) => {
  const root = folder(t);
  const echo = `import http from 'node:http';
    http.createServer((req, res) => req.pipe(res)).listen(process.env.FUNCTIONS_CUSTOMHANDLER_PORT, '127.0.0.1');`;
  writeFileSync(join(root, 'echo.mjs'), echo);
  const description = { defaultExecutablePath: process.execPath, arguments: ['echo.mjs'] };
  writeFileSync(join(root, 'host.json'), JSON.stringify(SECTIONS.proxying({ description })));
  mkdirSync(join(root, 'echo'));
  writeFileSync(join(root, 'echo/function.json'), JSON.stringify({ bindings: [trigger({}), out] }));
  const host = await startHost(root);
  t.after(() => host.stop());
  const request = http.request(`${host.url}/api/echo`, { method: 'POST', agent: false });
  request.write('first');
  const response = await new Promise((resolve) => { request.on('response', resolve); });
  const chunks = response[Symbol.asyncIterator]();
  assert.equal(String((await chunks.next()).value), 'first');
  request.end('second');
  assert.equal(String((await chunks.next()).value), 'second');
  assert.equal((await chunks.next()).done, true);
});
