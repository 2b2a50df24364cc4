// What every end-to-end test needs: the real binary, a folder of its own, certificates, stand-ins for
// Slack and Azure that complain about faults no request met.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAzure } from '../standin/azure.mjs';
import { startSlack } from '../standin/slack.mjs';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const binary = process.env.OPSBELT_BINARY ?? join(root, 'build/release/opsbelt');
export const fixture = (name) => join(root, 'fixtures', name);
export const readFixture = (name) => JSON.parse(readFileSync(fixture(name), 'utf8'));

// Runs the binary with exactly this environment; resolves when it has ended. { code, signal, stdout, stderr }
// encoding: of both; 'latin1' keeps bytes that are no UTF-8.
export function run(args, { env = {}, stdin = '', cwd = root, program = binary, encoding = 'utf8', uid, onStart = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd, uid, gid: uid, timeout: 60_000 });
    const out = { stdout: [], stderr: [] };
    child.stdout.on('data', (data) => out.stdout.push(data));
    child.stderr.on('data', (data) => out.stderr.push(data));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({
      code, signal,
      stdout: Buffer.concat(out.stdout).toString(encoding), stderr: Buffer.concat(out.stderr).toString(encoding),
    }));
    child.stdin.on('error', () => {}); // it need not read its input
    child.stdin.end(stdin);
    onStart(child);
  });
}

// A folder that goes away with the test.
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'e2e-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function file(t, name, content) {
  const path = join(folder(t), name);
  writeFileSync(path, content);
  return path;
}

// A stand-in Slack for one test. Faults that no request met fail the test: it did not test them.
export async function slackFor(t, options) {
  const slack = await startSlack(options);
  t.after(async () => {
    await slack.close();
    assert.deepEqual(slack.unusedFaults, [], 'faults that no request met');
  });
  return slack;
}

// A stand-in Azure for one test, by the same rule.
export async function azureFor(t, options) {
  const azure = await startAzure(options);
  t.after(async () => {
    await azure.close();
    assert.deepEqual(azure.unusedFaults, [], 'faults that no request met');
  });
  return azure;
}

// Runs the binary in a root directory that holds nothing but it and these files, { path: content }.
// Root only.
export function runInEmptyRoot(t, args, files, env) {
  const empty = folder(t);
  copyFileSync(binary, join(empty, 'opsbelt'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(empty, dirname(path)), { recursive: true });
    writeFileSync(join(empty, path), content);
  }
  return run([empty, '/opsbelt', ...args], { program: 'chroot', env: { PATH: process.env.PATH, ...env } });
}

// A proxy that notes the head of each request, { seen, url }; CONNECT is tunnelled, or refused with a status.
export async function proxyFor(t, { refuse, user = '' } = {}) {
  const seen = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      const head = data.toString();
      seen.push(head);
      if (refuse) return socket.end(`HTTP/1.1 ${refuse}\r\nContent-Length: 0\r\n\r\n`);
      const port = head.match(/:(\d+)[/ ]/)[1];
      const upstream = net.connect(port, '127.0.0.1', () => {
        if (head.startsWith('CONNECT')) socket.write('HTTP/1.1 200 OK\r\n\r\n');
        else upstream.write(head.replace(/ http:..[^/]+/, ' '));
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      return undefined;
    });
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return { seen, url: `http://${user}127.0.0.1:${server.address().port}` };
}

// A certificate for 127.0.0.1 that only those trust who have its file.
export function selfSigned(t) {
  const [key, cert] = [join(folder(t), 'key.pem'), join(folder(t), 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-days', '1', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
  { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert), keyFile: key, certFile: cert };
}

// The one line of an error, and that it is one.
export function errorLine({ stderr }) {
  const lines = stderr.trimEnd().split('\n').filter((line) => !line.includes('next attempt in'));
  assert.equal(lines.length, 1, `one line expected:\n${stderr}`);
  return lines[0];
}

// GITHUB_OUTPUT's file as { name: value }.
export function readOutputs(path) {
  const outputs = {};
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  for (let i = 0; i < lines.length; i += 1) {
    if (lines[i] === '') continue;
    const [name, delimiter] = lines[i].split('<<');
    const end = lines.indexOf(delimiter, i + 1);
    assert.ok(end > i, `no end of ${name}`);
    outputs[name] = lines.slice(i + 1, end).join('\n');
    i = end;
  }
  return outputs;
}

// A port of the loopback where nobody listens.
export async function closedPort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
