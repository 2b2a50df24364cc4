// What can go wrong between a command and Slack, as data, and the stage for it: a stand-in Slack that is told what to
// do, or something in its place.

import { slackFor } from '../e2e/support.mjs';
import { ALWAYS_POSSIBLE, NO_SUCH_NAME, badProxy, certificate, elsewhere, refusing } from './stage.mjs';

// retryAfter: how long it asks to wait; over the budget it is the last attempt.
const page = (status, retryAfter) => ({
  kind: 'status', status, body: `<html><h1>${status} of a gateway</h1></html>`, headers: retryAfter ? { 'retry-after': retryAfter } : {},
});
const words = (...list) => Object.fromEntries(list.map((word) => [`Slack says ${word}`, { replies: [{ kind: 'word', word }] }]));

// Name -> { replies: faults of the stand-in, one a request } or what is in its place:
//   at(stage): another origin; tls: the sort of certificate; proxy: the sort of proxy; reply(stage): a fault made there
export const SLACK_FAULTS = {
  'HTTP 400': { replies: [page(400)] },
  'HTTP 401': { replies: [page(401)] },
  'HTTP 403': { replies: [page(403)] },
  'HTTP 404': { replies: [page(404)] },
  'HTTP 408': { replies: [page(408)] },
  'HTTP 409': { replies: [page(409)] },
  'HTTP 429, Retry-After 1, once': { replies: [{ kind: 'ratelimited', retryAfter: 1 }] },
  'HTTP 429 without Retry-After, once': { replies: [{ kind: 'ratelimited', retryAfter: null }] },
  'HTTP 429, Retry-After over the budget': { replies: [{ kind: 'ratelimited', retryAfter: 120 }] },
  'HTTP 500, once': { replies: [page(500)] },
  'HTTP 502, once': { replies: [page(502)] },
  'HTTP 503, once': { replies: [page(503)] },
  'HTTP 503 until the budget is spent': { replies: [page(503, '1'), page(503, '600')] },
  'HTTP 504': { replies: [page(504)] },
  ...words('invalid_auth', 'channel_not_found', 'msg_too_long'),
  'Slack says missing_scope': { replies: [{ kind: 'word', word: 'missing_scope', needed: 'chat:write', provided: 'identify' }] },
  'Slack says ratelimited (HTTP 200), once': { replies: [{ kind: 'word', word: 'ratelimited', status: 200 }] },
  'name does not resolve': { at: () => `http://${NO_SUCH_NAME}`, args: ['--retry-budget', '0'] },
  'connection refused': { at: refusing, args: ['--retry-budget', '0'] },
  'reset before the request is read': { replies: [{ kind: 'reset-before-body' }] },
  'reset when the request was taken': { replies: [{ kind: 'reset-after-body', accepted: true }] },
  'reset in the middle of the reply': { replies: [{ kind: 'reset-in-reply' }] },
  'no reply in time': { replies: [{ kind: 'hang' }], args: ['--timeout', '3'] },
  'reply byte by byte': { replies: [{ kind: 'drip', delay_ms: 1 }], args: ['--timeout', '60'] },
  'truncated JSON': { replies: [{ kind: 'status', status: 200, body: '{"ok":tr' }] },
  'malformed JSON': { replies: [{ kind: 'status', status: 200, body: '{"ok":true,,}' }] },
  'HTML instead of an answer': { replies: [{ kind: 'html' }] },
  'wrong content type': { replies: [{ kind: 'status', status: 200, body: '{"ok":true,"channel":"C00000002","ts":"1.0"}', headers: { 'content-type': 'image/png' } }] },
  'oversized reply (9 MiB)': { replies: [{ kind: 'status', status: 200, body: 'x'.repeat(9 << 20) }] },
  'redirect to elsewhere': { reply: async ({ other }) => ({ kind: 'status', status: 302, headers: { location: other.url }, body: '' }) },
  'reply that repeats the secret': { reply: async ({ secret }) => ({ kind: 'status', status: 200, body: `<html>you sent ${secret}</html>` }) },
  'error that repeats the secret': { reply: async ({ secret }) => ({ kind: 'status', status: 400, body: { ok: false, error: `bad_${secret}` } }) },
  ...ALWAYS_POSSIBLE,
};

// A stand-in Slack with marked secrets, in the state that a fault asks for, its faults met by requests of the kind `on`.
// { slack, other, token, webhookUrl, apiUrl, env }
export async function slackStage(stage, fault, on) {
  const { t, secrets } = stage;
  const tls = fault.tls && certificate(fault.tls);
  const token = secrets.mark('bot token', 'xoxb-1-');
  const path = secrets.mark('webhook');
  const other = await elsewhere(t);
  const slack = await slackFor(t, { token, webhookPath: `/services/T00000000/B00000000/${path}`, tls });
  const origin = fault.at ? await fault.at() : slack.url;
  const secret = on === 'webhook' ? path : token;
  const replies = fault.reply ? [await fault.reply({ other, secret })] : fault.replies ?? [];
  for (const reply of replies) slack.fail({ ...reply, on });
  const env = { ...stage.env, ...fault.env };
  if (tls) env.SSL_CERT_FILE = tls.caFile;
  if (fault.proxy) env.HTTPS_PROXY = (await badProxy(t, secrets, fault.proxy)).url;
  return {
    slack, other, token, env,
    webhookUrl: slack.webhookUrl.replace(slack.url, origin), apiUrl: slack.apiUrl.replace(slack.url, origin),
  };
}
