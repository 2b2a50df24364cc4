// slack-serve for tests: started with a bot, a stand-in Slack behind it, stopped by its id.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { SIGNING_SECRET, deliver, messageEvent, signed } from '../standin/slack_events.mjs';
import { binary, file, root } from './support.mjs';

// { url, pid, out, log(), told(pattern), send(body, options), say(text, options), stop(signal) -> { code, signal, stderr } }
export async function startServe(t, slack, bot, args = [], env = {}) {
  const config = file(t, 'bot.yaml', bot);
  const child = spawn(binary, ['slack-serve', '--config', config, ...(args.includes('--port') ? [] : ['--port', '0']), '--bind', '127.0.0.1', ...args], {
    cwd: root,
    env: {
      PATH: process.env.PATH, SLACK_SIGNING_SECRET: SIGNING_SECRET,
      ...(slack ? { SLACK_BOT_TOKEN: slack.token, INPUT_API: slack.apiUrl } : {}), ...env,
    },
  });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => { out[name] += data; });
  const closed = once(child, 'close').then(([code, signal]) => ({ code, signal, ...out }));
  t.after(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await closed;
  });
  for (const end = Date.now() + 30_000; !/listens on/.test(out.stderr) && child.exitCode === null;) {
    if (Date.now() > end) throw new Error(`it does not listen: ${out.stderr}`);
    await delay(5);
  }
  const port = out.stderr.match(/listens on [\d.]+:(\d+)/)?.[1];
  const url = `http://127.0.0.1:${port}`;
  return {
    url, pid: child.pid, out, closed,
    // Waits, as what the program wrote may arrive here after what it did: the answer to a request, a count.
    told: (pattern) => until(`${pattern} in what it told`, () => pattern.test(out.stderr)).catch((error) => assert.fail(`${error.message}\n${out.stderr}`)),
    log: () => out.stderr.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)),
    send: (body, options = {}) => deliver(`${url}${options.path ?? '/slack/events'}`, signed(body, options), options),
    say: (text, options = {}) => deliver(`${url}/slack/events`, signed(messageEvent({ text, ...options })), { timeout_ms: 10_000 }),
    metrics: async () => Object.fromEntries((await (await fetch(`${url}/metrics`)).text()).split('\n')
      .filter((line) => line && !line.startsWith('#')).map((line) => [line.split(' ')[0].replace('opsbelt_', ''), Number(line.split(' ')[1])])),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return closed;
    },
  };
}

export async function until(what, condition, most_ms = 10_000) {
  for (const end = Date.now() + most_ms; !(await condition());) {
    if (Date.now() > end) throw new Error(`waited for: ${what}`);
    await delay(10);
  }
}

// One address for both stand-ins: apps.connections.open is Socket Mode's, the rest the Web API's.
export async function frontFor(t, socket, slack) {
  const front = http.createServer((req, res) => {
    const to = req.url.endsWith('/apps.connections.open') ? socket.url : slack.url;
    const passed = http.request(to + req.url, { method: req.method, headers: req.headers }, (reply) => {
      res.writeHead(reply.statusCode, reply.headers);
      reply.pipe(res);
    });
    passed.on('error', () => res.destroy());
    req.pipe(passed);
  }).listen(0, '127.0.0.1');
  t.after(() => front.close());
  await once(front, 'listening');
  return `http://127.0.0.1:${front.address().port}/api/`;
}
