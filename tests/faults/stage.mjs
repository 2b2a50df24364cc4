// Where one row of the fault matrix plays: secrets, a folder, places that are wrong on purpose.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { closedPort, folder, proxyFor } from '../e2e/support.mjs';
import { newSecrets } from './secrets.mjs';

// Faults of the way to a service, of the step's files and of whoever stops it: whatever is asked for.
export const ALWAYS_POSSIBLE = {
  'TLS: unknown CA': { tls: 'unknown', args: ['--retry-budget', '0'] },
  'TLS: expired certificate': { tls: 'expired', args: ['--retry-budget', '0'] },
  'TLS: certificate of another host': { tls: 'other', args: ['--retry-budget', '0'] },
  'proxy not there': { tls: 'good', proxy: 'absent', args: ['--retry-budget', '0'] },
  'proxy refuses (407)': { tls: 'good', proxy: 'refuses', args: ['--retry-budget', '0'] },
  'summary on a full disk': { env: { GITHUB_STEP_SUMMARY: '/dev/full' } },
  'outputs file not writable': { env: { GITHUB_OUTPUT: '/proc/version' } },
  'standard output full': { output: 'full' },
  'standard output closed': { output: 'closed' },
  'SIGINT while it waits': { replies: [{ kind: 'hang' }], signal: 'SIGINT' },
  'SIGTERM while it waits': { replies: [{ kind: 'hang' }], signal: 'SIGTERM' },
};

// { t, secrets, folder, env, file(name, content), written() }: env names the files of a GitHub step, which stand in the
// folder; written(): the text of all files in it
export function stageFor(t) {
  const dir = folder(t);
  const kept = new Set();
  return {
    t, secrets: newSecrets(), folder: dir,
    env: { PATH: process.env.PATH, GITHUB_OUTPUT: join(dir, 'outputs'), GITHUB_STEP_SUMMARY: join(dir, 'summary.md') },
    // What is put there for the program may hold secrets; what it writes may not.
    file(name, content) {
      kept.add(name);
      writeFileSync(join(dir, name), content);
      return join(dir, name);
    },
    written: () => readdirSync(dir, { withFileTypes: true }).filter((one) => one.isFile() && !kept.has(one.name))
      .map(({ name }) => readFileSync(join(dir, name), 'latin1')).join('\n'),
  };
}

// A name that no resolver is asked for: a label has 63 characters at most.
export const NO_SUCH_NAME = `${'nowhere'.repeat(10)}.example`;

export const refusing = async () => `http://127.0.0.1:${await closedPort()}`;

// Takes whatever it is asked, and notes that it was. { url, asked }
export async function elsewhere(t) {
  const place = { asked: 0 };
  const server = http.createServer((_, response) => {
    place.asked += 1;
    response.end('ok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return Object.assign(place, { url: `http://127.0.0.1:${server.address().port}/` });
}

// A proxy with a password: one that refuses it, or one that is not there. { url }
export async function badProxy(t, secrets, kind) {
  const user = `svc:${secrets.mark('proxy password')}@`;
  if (kind === 'refuses') return proxyFor(t, { refuse: '407 Proxy Authentication Required', user });
  return { url: `http://${user}127.0.0.1:${await closedPort()}` };
}

const made = new Map();

// { key, cert, certFile, caFile } of 127.0.0.1: 'good' is trusted with caFile, 'unknown' by nobody, 'expired' ended
// yesterday, 'other' is another host's; 'app' is that of an application. Made once for all rows.
export function certificate(kind) {
  if (made.size === 0) makeCertificates();
  return made.get(kind);
}

function makeCertificates() {
  const dir = process.env.FAULTS_FOLDER;
  const at = (name) => join(dir, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'ignore', cwd: dir });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=a CA', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  for (const [kind, alternative, days] of [['good', 'IP:127.0.0.1', '2'], ['expired', 'IP:127.0.0.1', '-1'], ['other', 'DNS:other.example', '2']]) {
    const [key, request, cert, more] = ['key', 'csr', 'pem', 'ext'].map((end) => at(`${kind}.${end}`));
    writeFileSync(more, `subjectAltName=${alternative}`);
    openssl('req', ...newKey, '-subj', `/CN=${kind}`, '-keyout', key, '-out', request);
    openssl('x509', '-req', '-in', request, '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', days, '-extfile', more, '-out', cert);
    made.set(kind, { key: readFileSync(key), cert: readFileSync(cert), certFile: cert, caFile: at('ca.pem') });
  }
  openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=another CA', '-keyout', at('x.key'), '-out', at('another-ca.pem'));
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=app', '-keyout', at('app.key'), '-out', at('app.pem'));
  made.set('app', { key: readFileSync(at('app.key')), cert: readFileSync(at('app.pem')) });
  made.set('unknown', { ...made.get('good'), caFile: at('another-ca.pem') });
}

// what: a text, or a function that tells it.
export async function until(condition, what = String(condition), most_ms = 60_000) {
  for (const end = Date.now() + most_ms; !(await condition());) {
    if (Date.now() > end) throw new Error(`waited for: ${typeof what === 'function' ? what() : what}`);
    await delay(10);
  }
}

// Sends a signal once the condition holds, or so often. For onStart of run().
export const signalWhen = (signal, condition, times = 1) => async (child) => {
  await until(condition).catch(() => child.kill('SIGKILL'));
  for (let i = 0; i < times; i += 1) {
    child.kill(signal);
    await delay(300);
  }
};

// run()'s options for standard output that takes nothing: 'closed' or 'full'.
export const brokenOutput = (program, args, kind) => ({
  program: '/bin/sh', args: ['-c', kind === 'full' ? 'exec "$@" > /dev/full' : 'exec "$@" >&-', 'sh', program, ...args],
});
