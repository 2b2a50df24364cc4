// TLS as every command has it: a certificate is always checked, nothing switches that off without a word, SSL_CERT_FILE
// and SSL_CERT_DIR count, and a secret that would go by http:// to another machine is told of.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { NO_SUCH_NAME, certificate } from '../faults/stage.mjs';
import { startSocketMode } from '../standin/socket_mode.mjs';
import { envOf } from './azure.mjs';
import { eventStoreFor, numbered } from './eventstore.mjs';
import { azureFor, file, fixture, folder, run, slackFor } from './support.mjs';

before(() => { process.env.FAULTS_FOLDER = mkdtempSync(join(tmpdir(), 'tls-')); });
after(() => rmSync(process.env.FAULTS_FOLDER, { recursive: true }));

const AT_ONCE = { concurrency: 8 };
const TRIED = ['--retry-budget', '0', '--timeout', '5'];
const EVENT = ['--event', fixture('gollum/two_pages.json')];
const BOT = 'handlers:\n- echo: true\n';

async function hookFor(t, tls) {
  const server = https.createServer(tls, (request, response) => request.resume().on('end', () => response.end())).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `https://127.0.0.1:${server.address().port}/`;
}

// Each to a server with a certificate: { args, env }, and the exit code when it is trusted.
const COMMANDS = {
  'gollum-notify': { code: 0, with: async (t, tls) => ({ args: ['gollum-notify', ...EVENT, ...TRIED], env: { SLACK_WEBHOOK: (await slackFor(t, { tls })).webhookUrl } }) },
  'slack-post': {
    code: 0,
    with: async (t, tls) => {
      const slack = await slackFor(t, { tls });
      return { args: ['slack-post', 'x', '--channel', '#ops', ...TRIED], env: { SLACK_BOT_TOKEN: slack.token, SLACK_API_URL: slack.apiUrl } };
    },
  },
  'slack-serve (Socket Mode)': {
    code: 77, refused: 0, // it goes on trying, and is stopped
    with: async (t, tls) => {
      const socket = await startSocketMode({ tls });
      t.after(() => socket.close());
      socket.fail({ kind: 'word', word: 'invalid_auth' });
      return { args: ['slack-serve', '--config', file(t, 'bot.yaml', BOT), '--socket-mode', ...TRIED],
        env: { SLACK_APP_TOKEN: socket.token, SLACK_BOT_TOKEN: 'xoxb-x', SLACK_API_URL: socket.apiUrl } };
    },
  },
  'azure-run': {
    code: 0,
    with: async (t, tls) => {
      const azure = await azureFor(t, { tls, run: () => ({ stdout: '', exitCode: 0 }) });
      return { args: ['azure-run', '--arm-endpoint', azure.armUrl, '-n', 'linux-1', '--managed', '--scripts', 'true', '--retry-budget', '0'], env: envOf(azure) };
    },
  },
  'es-tail': {
    code: 0,
    with: async (t, tls) => ({ args: ['es-tail', 's', '-e'], env: { ES_URL: `${(await storeFor(t, tls)).url}?maxDiscoverAttempts=1` } }),
  },
  'es-tail (webhook)': {
    code: 0, refused: 1,
    with: async (t, tls) => {
      const processors = JSON.stringify({ processors: [{ name: 'p', webhook: await hookFor(t, tls), retry: { attempts: 1 } }] });
      return { args: ['es-tail', '--from-file', file(t, 'e.jsonl', '{"type":"a"}\n'), '--processors', file(t, 'p.yaml', processors)], env: {} };
    },
  },
};

async function storeFor(t, tls) {
  const store = await eventStoreFor(t, { tls });
  store.append('s', numbered(1));
  return store;
}

// What other programs obey, or a person might try.
const SWITCHES = {
  NODE_TLS_REJECT_UNAUTHORIZED: '0', PYTHONHTTPSVERIFY: '0', GIT_SSL_NO_VERIFY: 'true', CURL_INSECURE: '1', INSECURE: 'true', SSL_VERIFY: 'false',
  INPUT_INSECURE: 'true', AZURE_CLI_DISABLE_CONNECTION_VERIFICATION: '1',
};

for (const [name, command] of Object.entries(COMMANDS)) {
  describe(name, AT_ONCE, () => {
    const refused = command.refused ?? 69;
    const runs = async (t, kind, more) => {
      const tls = certificate(kind);
      const { args, env } = await command.with(t, tls);
      const stopIt = (child) => child.stderr.on('data', (data) => { if (/next attempt/.test(data)) child.kill('SIGTERM'); });
      return run(args, { env: { ...env, ...more(tls) }, onStart: stopIt });
    };

    test('SSL_CERT_FILE names whom to trust', async (t) => {
      const result = await runs(t, 'good', ({ caFile }) => ({ SSL_CERT_FILE: caFile }));
      assert.equal(result.code, command.code, result.stderr);
    });

    test('SSL_CERT_DIR does, too', async (t) => {
      const result = await runs(t, 'good', ({ caFile }) => {
        const dir = folder(t);
        copyFileSync(caFile, join(dir, 'ca.pem'));
        execFileSync('openssl', ['rehash', dir]);
        return { SSL_CERT_DIR: dir };
      });
      assert.equal(result.code, command.code, result.stderr);
    });

    for (const kind of ['unknown', 'expired', 'other']) {
      test(`a certificate that is no good is refused (${kind})`, async (t) => {
        const result = await runs(t, kind, ({ caFile }) => ({ SSL_CERT_FILE: caFile }));
        assert.equal(result.code, refused, result.stderr);
        assert.match(result.stderr, /TLS with \S*127\.0\.0\.1:\d+ failed: /);
      });
    }

    test('no variable switches the check off', async (t) => {
      const result = await runs(t, 'unknown', ({ caFile }) => ({ SSL_CERT_FILE: caFile, ...SWITCHES }));
      assert.equal(result.code, refused, result.stderr);
    });

    test('no option does', async () => {
      const help = await run([name.split(' ')[0], '--help']);
      assert.doesNotMatch(help.stdout, /insecure|no-?verif|no-?check-?cert|skip-?(tls|ssl|verif)|ignore-?(tls|ssl|cert)/i);
    });
  });
}

test('tlsVerifyCert=false of an event store is told of, also with -q', async (t) => {
  const store = await storeFor(t, certificate('unknown'));
  for (const more of [[], ['-q']]) {
    const result = await run(['es-tail', 's', '-e', '-f', '%n\\n', ...more], { env: { ES_URL: `${store.url}?tlsVerifyCert=false` } });
    assert.deepEqual([result.code, result.stdout], [0, '0\n'], result.stderr);
    assert.match(result.stderr, /^opsbelt: es-tail: tlsVerifyCert=false: the server's certificate is not checked, .*; name its CA by tlsCaFile=FILE instead$/m);
  }
});

// --- http:// ---

const FAR = `http://${NO_SUCH_NAME}:8080`;
const CLEAR = [
  ['gollum-notify', ['gollum-notify', ...EVENT, ...TRIED], { SLACK_WEBHOOK: `${FAR}/services/T/B/X` }, /the webhook's address, a secret, goes to http:\S+:8080 in the clear, and can be read on the way; use https/],
  ['slack-post', ['slack-post', 'x', '--channel', '#ops', ...TRIED], { SLACK_BOT_TOKEN: 'xoxb-x', SLACK_API_URL: FAR }, /the token goes to http:\S+ in the clear/],
  ['slack-serve', ['slack-serve', '--socket-mode', ...TRIED], { SLACK_APP_TOKEN: 'xapp-x', SLACK_BOT_TOKEN: 'xoxb-x', SLACK_API_URL: FAR }, /the token goes to http:\S+ in the clear/],
  ['azure-run', ['azure-run', '-n', 'a', '-g', 'b', '--scripts', 'true', '--retry-budget', '0', '--authority', FAR], {
    AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_CLIENT_SECRET: 's', AZURE_SUBSCRIPTION_ID: 'u',
  }, /the sign-in goes to http:\S+ in the clear/],
  ['es-tail', ['es-tail', 's', '-q'], { ES_URL: `esdb://me:word@${NO_SUCH_NAME}?tls=false&maxDiscoverAttempts=1` }, /tls=false: the password goes to \S+ in the clear, .*; use tls=true/],
];
describe('a secret that goes to another machine by http:// is told of', AT_ONCE, () => {
  for (const [name, args, env, says] of CLEAR) {
    test(name, async (t) => {
      const words = name === 'slack-serve' ? [...args, '--config', file(t, 'bot.yaml', BOT)] : args;
      const { stderr } = await run(words, { env, onStart: (child) => setTimeout(() => child.kill('SIGTERM'), 3000) });
      assert.match(stderr, says);
      assert.doesNotMatch(stderr, /services\/T|xoxb|xapp|word@/);
    });
  }

  test('es-tail (webhook)', async (t) => {
    const processors = JSON.stringify({ processors: [{ name: 'p', webhook: { url: `${FAR}/`, headers: { Authorization: 'Bearer ${TOKEN}' } }, retry: { attempts: 2, wait: '1ms' } }] });
    const { stderr } = await run(['es-tail', '--from-file', file(t, 'e.jsonl', '{"type":"a"}\n'), '--processors', file(t, 'p.yaml', processors)], { env: { TOKEN: 'a-word' } });
    assert.equal(stderr.match(/the webhook's Authorization goes to http:\S+ in the clear/g)?.length, 1, stderr);
  });

  test('not to this one', async (t) => {
    const slack = await slackFor(t);
    const { code, stderr } = await run(['slack-post', 'x', ...TRIED], { env: { SLACK_WEBHOOK: slack.webhookUrl } });
    assert.deepEqual([code, stderr], [0, '']);
  });
});
