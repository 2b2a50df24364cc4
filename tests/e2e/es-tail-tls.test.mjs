// es-tail over TLS, and what it tells the server of itself.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { esTail, eventStoreFor, numbered, numbersOf, proxyBefore, startTail, upTo } from './eventstore.mjs';
import { errorLine, file, folder, selfSigned } from './support.mjs';

const AT_ONCE = { concurrency: 12 };
const NUMBERS = ['-f', '%n\\n'];
const FROM_START = ['orders', '-o', 'beginning', ...NUMBERS];
const to = (url) => ({ env: { ES_URL: url } });
const lastLine = ({ stderr }) => stderr.trimEnd().split('\n').at(-1);

// A CA, a server's and a client's certificate of it.
function certificates(t) {
  const at = (name) => join(folder(t), name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = { key: at('ca.key'), cert: at('ca.pem') };
  openssl('req', '-x509', ...key, '-days', '1', '-subj', '/CN=a CA', '-keyout', ca.key, '-out', ca.cert);
  const signed = (name, extensions) => {
    const files = { key: at(`${name}.key`), cert: at(`${name}.pem`), request: at(`${name}.csr`), extensions: at(`${name}.ext`) };
    writeFileSync(files.extensions, extensions);
    openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', files.key, '-out', files.request);
    openssl('x509', '-req', '-in', files.request, '-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-days', '1', '-extfile', files.extensions, '-out', files.cert);
    return files;
  };
  return { ca, server: signed('server', 'subjectAltName=IP:127.0.0.1'), client: signed('alice', 'extendedKeyUsage=clientAuth') };
}
const tlsOf = ({ ca, server }, more) => ({ key: readFileSync(server.key), cert: readFileSync(server.cert), ca: readFileSync(ca.cert), ...more });

describe('TLS', AT_ONCE, () => {
  const once = (store, url) => esTail(store, ['orders', '-e', ...NUMBERS], to(url));

  test('trusted by its CA file; not by another one, nor without', async (t) => {
    const files = certificates(t);
    const store = await eventStoreFor(t, { tls: tlsOf(files) });
    store.append('orders', numbered(1));
    const good = await once(store, `${store.url}?tlsCaFile=${encodeURIComponent(files.ca.cert)}`);
    assert.equal(good.stdout, '0\n', good.stderr);
    for (const keys of ['', `&tlsCaFile=${encodeURIComponent(selfSigned(t).certFile)}`]) {
      const result = await once(store, `${store.url}?maxDiscoverAttempts=2${keys}`);
      assert.equal(result.code, 69, result.stderr);
      assert.match(lastLine(result), /certificate/);
    }
    assert.equal((await once(store, `${store.url}?tlsVerifyCert=false`)).stdout, '0\n');
  });

  test('a certificate of another name is refused', async (t) => {
    const files = certificates(t);
    const store = await eventStoreFor(t, { tls: tlsOf(files) });
    const url = `esdb://localhost:${store.port}?tlsCaFile=${files.ca.cert}&maxDiscoverAttempts=1`;
    const result = await once(store, url);
    assert.equal(result.code, 69, result.stderr);
    assert.match(lastLine(result), /localhost/);
  });

  test('a client certificate is shown', async (t) => {
    const files = certificates(t);
    const store = await eventStoreFor(t, { tls: tlsOf(files, { requestCert: true, rejectUnauthorized: true }) });
    store.append('orders', numbered(1));
    const url = `${store.url}?tlsCaFile=${files.ca.cert}&maxDiscoverAttempts=1`;
    const good = await once(store, `${url}&userCertFile=${files.client.cert}&userKeyFile=${files.client.key}`);
    assert.equal(good.stdout, '0\n', good.stderr);
    assert.equal(store.connections[0].certificate, 'alice');
    const without = await once(store, url);
    assert.ok([69, 75].includes(without.code), without.stderr);
    assert.match(lastLine(without), /certificate/);
  });

  for (const [key, words] of [['tlsCaFile', /nowhere/], ['userCertFile', /nowhere/]]) {
    test(`${key} that is not there: 78, with the file`, async (t) => {
      const files = certificates(t);
      const store = await eventStoreFor(t, { tls: tlsOf(files) });
      const more = key === 'userCertFile' ? `&userKeyFile=${files.client.key}` : '';
      const result = await once(store, `${store.url}?${key}=/nowhere/x.pem${more}`);
      assert.equal(result.code, 78, result.stderr);
      assert.match(errorLine(result), words);
    });
  }

  test('a CA file that is none: 78', async (t) => {
    const store = await eventStoreFor(t, { tls: tlsOf(certificates(t)) });
    const result = await once(store, `${store.url}?tlsCaFile=${file(t, 'x.pem', 'no certificate')}`);
    assert.equal(result.code, 78, result.stderr);
    assert.match(errorLine(result), /x\.pem/);
  });

  test('TLS to a plain server: an error that names tls=false', async (t) => {
    const store = await eventStoreFor(t);
    const result = await once(store, `esdb://127.0.0.1:${store.port}?maxDiscoverAttempts=1`);
    assert.equal(result.code, 69, result.stderr);
    assert.match(errorLine(result), /tls=false/);
  });

  test('plain to a TLS server: an error that names tls=true', async (t) => {
    const store = await eventStoreFor(t, { tls: tlsOf(certificates(t)) });
    const result = await once(store, `esdb://127.0.0.1:${store.port}?tls=false&maxDiscoverAttempts=1`);
    assert.ok([69, 75, 76].includes(result.code), result.stderr);
    assert.match(errorLine(result), /tls=true/);
  });

  test('a drop over TLS, and a frame cut at every byte', async (t) => {
    const files = certificates(t);
    const store = await eventStoreFor(t, { tls: tlsOf(files) });
    const proxy = await proxyBefore(t, store);
    store.append('orders', numbered(10));
    proxy.chop();
    store.fail({ kind: 'reset', after: 4, on: 'subscribe' });
    const tail = startTail(t, store, FROM_START, to(`${proxy.url}?tlsCaFile=${files.ca.cert}`));
    await tail.until(({ stdout }) => stdout.includes('9\n'));
    assert.deepEqual(numbersOf(await tail.stop()), upTo(10));
  });
});

// --- What is sent along ---

test('the headers of a call: user, connection name, who it is', async (t) => {
  const store = await eventStoreFor(t);
  const url = `${store.url.replace('esdb://', 'esdb://me%40home:pa%3Ass@')}&connectionName=my%20tail`;
  await esTail(store, ['--all', '-e'], to(url));
  const [{ headers }] = store.requests;
  assert.equal(Buffer.from(headers.authorization.split(' ')[1], 'base64').toString(), 'me@home:pa:ss');
  assert.equal(headers['connection-name'], 'my tail');
  assert.equal(headers['content-type'], 'application/grpc');
  assert.equal(headers.te, 'trailers');
  assert.match(headers['user-agent'], /^opsbelt\//);
});
