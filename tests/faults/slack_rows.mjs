// Rows of the commands that post to Slack once and end: each fault of slack_faults.mjs that an expectation names.

import { binary, run } from '../e2e/support.mjs';
import { SLACK_FAULTS, slackStage } from './slack_faults.mjs';
import { brokenOutput, signalWhen } from './stage.mjs';

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
