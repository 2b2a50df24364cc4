// Rows of the commands that post to Slack once and end: each fault of slack_faults.mjs that an expectation names.

import { binary, run } from '../e2e/support.mjs';
import { SLACK_FAULTS, slackStage } from './slack_faults.mjs';
import { brokenOutput, signalWhen } from './stage.mjs';

// What is expected of one message, by webhook as by token.
export const ONE_MESSAGE = {
  'HTTP 400': [76, 1, 0], 'HTTP 401': [77, 1, 0], 'HTTP 403': [77, 1, 0], 'HTTP 404': [76, 1, 0],
  'HTTP 408': [76, 1, 0], 'HTTP 409': [76, 1, 0], 'HTTP 429, Retry-After 1, once': [0, 2, 1],
  'HTTP 429 without Retry-After, once': [0, 2, 1], 'HTTP 429, Retry-After over the budget': [75, 1, 0],
  'HTTP 500, once': [0, 2, 1], 'HTTP 502, once': [0, 2, 1], 'HTTP 503, once': [0, 2, 1],
  'HTTP 503 until the budget is spent': [75, 2, 0], 'HTTP 504': [75, 1, 0],
  'Slack says channel_not_found': [78, 1, 0],
  'name does not resolve': [69, 0, 0], 'connection refused': [69, 0, 0],
  'reset before the request is read': [75, 1, 0], 'reset when the request was taken': [75, 1, 1],
  'reset in the middle of the reply': [76, 1, 1], 'no reply in time': [75, 1, 0], 'reply byte by byte': [0, 1, 1],
  'truncated JSON': [76, 1, 0], 'malformed JSON': [76, 1, 0], 'HTML instead of an answer': [76, 1, 0],
  'wrong content type': [0, 1, 0], 'oversized reply (9 MiB)': [76, 1, 0], 'redirect to elsewhere': [76, 1, 0],
  'reply that repeats the secret': [76, 1, 0], 'error that repeats the secret': [1, 1, 0],
  'TLS: unknown CA': [69, 0, 0], 'TLS: expired certificate': [69, 0, 0], 'TLS: certificate of another host': [69, 0, 0],
  'proxy not there': [69, 0, 0], 'proxy refuses (407)': [69, 0, 0],
  'outputs file not writable': [74, 0, 0], 'standard output full': [74, 1, 1],
  'standard output closed': [0, 1, 1], 'SIGINT while it waits': [130, 1, 0], 'SIGTERM while it waits': [130, 1, 0],
};

// A way: { way, on: the kind of request that meets the faults, args(place), env(place), stdin, expected: { fault: [exit
// code, requests, messages posted] } }
export function slackRows(command, { way, on, args, env, stdin, expected }) {
  return Object.entries(expected).map(([name, [code, sent, done]]) => ({
    way, fault: name, code, sent, done,
    act: async (stage) => {
      const fault = SLACK_FAULTS[name];
      const place = await slackStage(stage, fault, on);
      const words = [command, ...args(place, stage), ...(fault.args ?? [])];
      const result = await runWith(fault, words, { ...env(place), ...place.env }, place.slack, { on, stdin });
      for (const { path } of place.slack.requests) {
        if (path.includes('/upload/')) stage.secrets.add('upload URL', path.slice(path.lastIndexOf('/') + 1));
      }
      if (place.other.asked > 0) throw new Error('it followed a redirect to another host');
      return { ...result, sent: place.slack.requests.length, done: place.slack.accepted.length };
    },
  }));
}

function runWith(fault, words, env, slack, { on, stdin }) {
  const isMet = () => slack.requests.some(({ path }) => on === 'webhook' || path.includes(on));
  const onStart = fault.signal ? signalWhen(fault.signal, isMet) : undefined;
  if (!fault.output) return run(words, { env, stdin, onStart });
  const { program, args } = brokenOutput(binary, words, fault.output);
  return run(args, { program, env, stdin });
}
