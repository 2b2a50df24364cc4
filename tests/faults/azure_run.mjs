// azure-run when Azure or the network fails, by the request that meets the fault: the sign-in, the start of a script, a
// look at how it goes; the same for managed run commands. A script is never started twice.

import { azureFor, binary, run } from '../e2e/support.mjs';
import { answering, envOf, envWithoutSecret } from '../e2e/azure.mjs';
import { ALWAYS_POSSIBLE, NO_SUCH_NAME, badProxy, brokenOutput, certificate, elsewhere, refusing, signalWhen } from './stage.mjs';

const SOON = { 'retry-after-ms': '20' };
const status = (code, headers = SOON) => ({ kind: 'status', status: code, headers });
const text = (body, code = 200) => ({ kind: 'status', status: code, body });

// Name -> { replies } of the stand-in, or what is in its place, as in slack_faults.mjs.
const FAULTS = {
  'HTTP 400': { replies: [status(400)] },
  'HTTP 401': { replies: [status(401)] },
  'HTTP 403': { replies: [status(403)] },
  'HTTP 404': { replies: [status(404)] },
  'HTTP 408': { replies: [status(408)] },
  'HTTP 409': { replies: [status(409)] },
  'HTTP 429, Retry-After 1, once': { replies: [status(429, { 'retry-after': '1' })] },
  'HTTP 429 without Retry-After, once': { replies: [status(429, {})] },
  'HTTP 429, Retry-After over the budget': { replies: [status(429, { 'retry-after': '600' })] },
  'HTTP 500, once': { replies: [status(500)] },
  'HTTP 502, once': { replies: [status(502)] },
  'HTTP 503, once': { replies: [status(503)] },
  'HTTP 503 until the budget is spent': { replies: [status(503)], args: ['--retry-budget', '0'] },
  'HTTP 504': { replies: [status(504)] },
  'name does not resolve': { at: () => `http://${NO_SUCH_NAME}`, args: ['--retry-budget', '0'] },
  'connection refused': { at: refusing, args: ['--retry-budget', '0'] },
  'reset before the request is read': { replies: [{ kind: 'reset-before-body' }] },
  'reset when the request was taken': { replies: [{ kind: 'reset-after-body', accepted: true }] },
  'reset in the middle of the reply': { replies: [{ kind: 'reset-in-reply' }] },
  'truncated JSON': { replies: [{ kind: 'truncated-json' }] },
  'malformed JSON': { replies: [text('{"a":1,,}')] },
  'HTML instead of an answer': { replies: [{ kind: 'html' }] },
  'oversized reply (9 MiB)': { replies: [text('x'.repeat(9 << 20))] },
  'redirect to elsewhere': { reply: ({ other }) => ({ kind: 'status', status: 302, headers: { location: other.url }, body: '' }) },
  'error that repeats the secret': { repeats: true },
  ...ALWAYS_POSSIBLE,
  'SIGINT twice while it waits': { replies: [{ kind: 'hang' }], signal: 'SIGINT', times: 2 },
  'the script fails in Azure': { replies: [{ kind: 'failed' }] },
  'Azure knows the run no more': { replies: [{ kind: 'operation-not-found' }] },
  'reply without an address to follow': { replies: [{ kind: 'no-headers' }] },
  'address to follow on another host': { reply: ({ other }) => ({ kind: 'foreign-poll-host', origin: other.url.slice(0, -1) }) },
};

// Ways to sign in, as --auth names them: the environment of each, its secrets marked.
const SIGN_IN_BY = {
  secret: (azure) => envOf(azure),
  github(azure, { secrets }) {
    secrets.add('request token of GitHub', azure.githubToken);
    return { ...envWithoutSecret(azure), ACTIONS_ID_TOKEN_REQUEST_URL: azure.githubUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: azure.githubToken };
  },
  certificate(azure, { secrets, file }) {
    const { key, cert } = certificate('app');
    String(key).split('\n').filter((line) => /^[^-]/.test(line)).forEach((line) => secrets.add('private key', line));
    return { ...envWithoutSecret(azure), AZURE_CLIENT_CERTIFICATE_PATH: file('app.pem', key + cert) };
  },
};

// { azure, other, env }
async function azureStage(stage, fault, on, by) {
  const { t, secrets } = stage;
  const tls = fault.tls && certificate(fault.tls);
  const other = await elsewhere(t);
  const azure = await azureFor(t, {
    tls, certificates: [certificate('app').cert], clientSecret: secrets.markOdd('client secret'), operationMs: 20, updateMs: 50,
    run: on?.startsWith('managed') ? () => ({ stdout: 'hello\n', exitCode: 3 }) : answering(() => ({ stdout: 'hello\n', exitCode: 3 })),
  });
  const replies = fault.reply ? [fault.reply({ other })] : fault.replies ?? [];
  if (fault.repeats) azure.fail(repeating(azure, on));
  for (const reply of replies) azure.fail({ ...reply, on });
  const origin = fault.at ? await fault.at() : azure.url;
  const env = { ...SIGN_IN_BY[by](azure, stage), ...stage.env, AZURE_AUTHORITY_HOST: origin, ...fault.env };
  if (tls) env.SSL_CERT_FILE = tls.caFile;
  if (fault.proxy) Object.assign(env, { HTTPS_PROXY: (await badProxy(t, secrets, fault.proxy)).url, NO_PROXY: '' });
  return { azure, other, env };
}

// An error whose words hold what came: GitHub's token, what proves who signs in, or the access token; known only then.
function repeating(azure, on) {
  return {
    kind: 'status', on, status: 400,
    get body() {
      const { form } = azure.requests.at(-1);
      const proof = form?.client_assertion ?? azure.clientSecret;
      const secret = { github: azure.githubToken, token: proof }[on] ?? azure.tokens.at(-1).token;
      return { error: { code: 'Odd', message: `you sent ${secret}` } };
    },
  };
}

const isStart = ({ method, path }) => (method === 'POST' && path.endsWith('/runCommand')) || (method === 'PUT' && path.includes('/runCommands/'));

// expected: { fault: [exit code, starts sent, scripts run] }
function rowsOf(way, on, args, expected, by = 'secret') {
  return Object.entries(expected).map(([name, [code, sent, done]]) => ({
    way, fault: name, code, sent, done,
    act: async (stage) => {
      const fault = FAULTS[name];
      const { azure, other, env } = await azureStage(stage, fault, on, by);
      const password = stage.secrets.mark('password of the run');
      const parameter = stage.secrets.mark('script parameter');
      const words = ['azure-run', '--arm-endpoint', fault.at ? env.AZURE_AUTHORITY_HOST : azure.armUrl, '--poll-interval', '20ms', '-n', 'linux-1',
        '--scripts', 'echo hello; exit 3', '--parameters', `password=${parameter}`, ...args, ...(fault.args ?? [])];
      const result = await runWith(fault, words, { ...env, ...(args.includes('--run-as') ? { AZURE_RUN_AS_PASSWORD: password } : {}) }, azure, on);
      // Their signatures: the claims before those are known, and some stand in other places too.
      const addSigned = (name, token) => stage.secrets.add(name, token.slice(token.lastIndexOf('.') + 1));
      azure.tokens.forEach(({ token }) => addSigned('access token', token));
      azure.requests.forEach(({ form }) => { if (form?.client_assertion) addSigned('client assertion', form.client_assertion); });
      if (other.asked > 0) throw new Error('it asked another host');
      return { ...result, sent: azure.requests.filter(isStart).length, done: azure.runs.length };
    },
  }));
}

const PATHS = { github: '/', token: '/token', runCommand: '/runCommand', poll: '/operations/', 'managed-put': '/runCommands/', 'managed-get': '/runCommands/' };

function runWith(fault, words, env, azure, on) {
  const isMet = () => azure.unusedFaults.length === 0 && azure.requests.some(({ path }) => path.includes(PATHS[on]));
  const onStart = fault.signal ? signalWhen(fault.signal, isMet, fault.times) : undefined;
  if (!fault.output) return run(words, { env, onStart });
  const { program, args } = brokenOutput(binary, words, fault.output);
  return run(args, { program, env });
}

const SIGN_IN = {
  'HTTP 400': [77, 0, 0], 'HTTP 401': [77, 0, 0], 'HTTP 403': [77, 0, 0], 'HTTP 404': [76, 0, 0],
  'HTTP 429, Retry-After 1, once': [1, 1, 1], 'HTTP 429 without Retry-After, once': [1, 1, 1],
  'HTTP 429, Retry-After over the budget': [75, 0, 0], 'HTTP 500, once': [1, 1, 1], 'HTTP 502, once': [1, 1, 1],
  'HTTP 503, once': [1, 1, 1], 'HTTP 503 until the budget is spent': [75, 0, 0], 'HTTP 504': [1, 1, 1],
  'name does not resolve': [69, 0, 0], 'connection refused': [69, 0, 0],
  'reset before the request is read': [1, 1, 1], 'reset when the request was taken': [1, 1, 1],
  'reset in the middle of the reply': [1, 1, 1], 'truncated JSON': [76, 0, 0], 'malformed JSON': [76, 0, 0],
  'HTML instead of an answer': [76, 0, 0], 'oversized reply (9 MiB)': [1, 1, 1], 'redirect to elsewhere': [76, 0, 0],
  'error that repeats the secret': [77, 0, 0],
  'TLS: unknown CA': [69, 0, 0], 'TLS: expired certificate': [69, 0, 0], 'TLS: certificate of another host': [69, 0, 0],
  'proxy not there': [69, 0, 0], 'proxy refuses (407)': [69, 0, 0],
  'SIGINT while it waits': [130, 0, 0], 'SIGTERM while it waits': [130, 0, 0],
};
const GITHUB = {
  'HTTP 403': [77, 0, 0], 'HTTP 500, once': [1, 1, 1], 'HTTP 503 until the budget is spent': [75, 0, 0],
  'reset in the middle of the reply': [1, 1, 1], 'truncated JSON': [76, 0, 0], 'HTML instead of an answer': [76, 0, 0],
  'redirect to elsewhere': [76, 0, 0], 'error that repeats the secret': [77, 0, 0], 'SIGTERM while it waits': [130, 0, 0],
};
const BY_ASSERTION = {
  'HTTP 401': [77, 0, 0], 'HTTP 500, once': [1, 1, 1], 'HTML instead of an answer': [76, 0, 0],
  'redirect to elsewhere': [76, 0, 0], 'error that repeats the secret': [77, 0, 0], 'SIGTERM while it waits': [130, 0, 0],
};
const START = {
  'HTTP 400': [65, 1, 0], 'HTTP 401': [1, 2, 1], 'HTTP 403': [77, 1, 0], 'HTTP 404': [66, 1, 0], 'HTTP 408': [75, 1, 0],
  'HTTP 409': [69, 1, 0], 'HTTP 429, Retry-After 1, once': [1, 2, 1], 'HTTP 429 without Retry-After, once': [1, 2, 1],
  'HTTP 429, Retry-After over the budget': [75, 1, 0], 'HTTP 500, once': [75, 1, 0], 'HTTP 502, once': [75, 1, 0],
  'HTTP 503, once': [75, 1, 0], 'HTTP 504': [75, 1, 0],
  'reset before the request is read': [75, 1, 0], 'reset when the request was taken': [75, 1, 1],
  'reset in the middle of the reply': [76, 1, 1], 'HTML instead of an answer': [76, 1, 0], 'oversized reply (9 MiB)': [76, 1, 0],
  'redirect to elsewhere': [76, 1, 0], 'error that repeats the secret': [65, 1, 0],
  'reply without an address to follow': [76, 1, 1], 'address to follow on another host': [76, 1, 1],
  'SIGINT twice while it waits': [130, 1, 0],
  'summary on a full disk': [74, 1, 1], 'outputs file not writable': [74, 1, 1], 'standard output full': [74, 1, 1],
  'standard output closed': [1, 1, 1],
};
const FOLLOW = {
  'HTTP 400': [69, 1, 1], 'HTTP 401': [1, 1, 1], 'HTTP 403': [77, 1, 1], 'HTTP 408': [1, 1, 1],
  'HTTP 429, Retry-After 1, once': [1, 1, 1], 'HTTP 429 without Retry-After, once': [1, 1, 1],
  'HTTP 500, once': [1, 1, 1], 'HTTP 502, once': [1, 1, 1], 'HTTP 503, once': [1, 1, 1],
  'HTTP 503 until the budget is spent': [75, 1, 1], 'HTTP 504': [1, 1, 1],
  'reset before the request is read': [1, 1, 1], 'reset when the request was taken': [1, 1, 1],
  'reset in the middle of the reply': [1, 1, 1], 'truncated JSON': [1, 1, 1], 'malformed JSON': [1, 1, 1],
  'HTML instead of an answer': [1, 1, 1], 'oversized reply (9 MiB)': [1, 1, 1], 'redirect to elsewhere': [76, 1, 1],
  'error that repeats the secret': [69, 1, 1],
  'the script fails in Azure': [69, 1, 1], 'Azure knows the run no more': [66, 1, 1],
  'SIGINT while it waits': [130, 1, 1], 'SIGTERM while it waits': [130, 1, 1],
};
const MANAGED_START = {
  'HTTP 400': [65, 1, 0], 'HTTP 403': [77, 1, 0], 'HTTP 404': [66, 1, 0], 'HTTP 429, Retry-After 1, once': [1, 2, 1],
  'HTTP 503, once': [75, 1, 0], 'HTTP 504': [75, 1, 0], 'reset before the request is read': [75, 1, 0],
  'reset when the request was taken': [1, 1, 1], 'reset in the middle of the reply': [1, 1, 1],
  'redirect to elsewhere': [76, 1, 0], 'error that repeats the secret': [65, 1, 0],
};
const MANAGED_FOLLOW = {
  'HTTP 401': [1, 1, 1], 'HTTP 403': [77, 1, 1], 'HTTP 404': [66, 1, 1], 'HTTP 429, Retry-After 1, once': [1, 1, 1],
  'HTTP 500, once': [1, 1, 1], 'HTTP 503, once': [1, 1, 1], 'HTTP 503 until the budget is spent': [75, 1, 1], 'HTTP 504': [1, 1, 1],
  'reset before the request is read': [1, 1, 1], 'reset in the middle of the reply': [1, 1, 1], 'malformed JSON': [1, 1, 1],
  'redirect to elsewhere': [76, 1, 1], 'SIGINT while it waits': [130, 1, 1], 'SIGTERM while it waits': [130, 1, 1],
};

const MANAGED = ['--managed', '--run-as', 'deploy'];

export const azureRun = {
  command: 'azure-run',
  about: 'A script that says hello and ends with 3 (so exit code 1 is the good end), on one machine. The fault meets the '
    + 'sign-in, the start or a look at how it goes.',
  counts: ['starts sent', 'scripts run'],
  rows: [
    ...rowsOf('sign-in', 'token', [], SIGN_IN), ...rowsOf('token of GitHub', 'github', ['--auth', 'github'], GITHUB, 'github'),
    ...rowsOf('sign-in by GitHub', 'token', ['--auth', 'github'], BY_ASSERTION, 'github'),
    ...rowsOf('sign-in by certificate', 'token', ['--auth', 'certificate'], BY_ASSERTION, 'certificate'),
    ...rowsOf('start', 'runCommand', [], START), ...rowsOf('follow', 'poll', [], FOLLOW),
    ...rowsOf('managed start', 'managed-put', MANAGED, MANAGED_START), ...rowsOf('managed follow', 'managed-get', MANAGED, MANAGED_FOLLOW),
  ],
};
