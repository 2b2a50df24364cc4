// Slack's own @slack/bolt with its HTTPReceiver, to see whether it accepts a request, and as what.
//
//   const bolt = await startBolt({ secret, ignoreSelf, reply });
//   bolt.url      where it takes events and slash commands
//   bolt.seen     what its handlers were given, in order: { kind: 'event', event, body, retryNum, retryReason } or
//                 { kind: 'command', command, body }
//   await bolt.close()
//
// Bolt answers 200 to what it accepts, 401 to what fails its check of the signature, 400 to a body that it can't read.
// It acknowledges an event before the handlers run: await bolt.next(n) waits until n were seen (bounded).
// ignoreSelf: false lets it show the bot's own messages too. reply: the text that answers every slash command.
// Known gap, in 5.1.0: a timestamp in the future passes, however far. Needs no network and no token that is good.

import { setTimeout as delay } from 'node:timers/promises';
import bolt from '@slack/bolt';
import { SIGNING_SECRET } from './slack_events.mjs';
import { BOT } from './slack_rules.mjs';

const SILENT = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => 'error', setName() {} };
const WAIT_MS = 5000;

export async function startBolt({ secret = SIGNING_SECRET, ignoreSelf = true, reply } = {}) {
  const seen = [];
  const receiver = new bolt.HTTPReceiver({ signingSecret: secret, logger: SILENT });
  const authorize = async () => ({ botToken: 'xoxb-stand-in', botId: BOT.bot_id, botUserId: BOT.user_id });
  const app = new bolt.App({ receiver, authorize, ignoreSelf, logger: SILENT });
  app.event(/.*/, async ({ event, body, context: { retryNum, retryReason } }) => {
    seen.push({ kind: 'event', event, body, retryNum, retryReason });
  });
  app.command(/.*/, async ({ command, body, ack }) => {
    seen.push({ kind: 'command', command, body });
    await ack(reply);
  });
  const server = await receiver.start({ port: 0, host: '127.0.0.1' });
  return {
    url: `http://127.0.0.1:${server.address().port}/slack/events`, seen,
    async next(count) {
      const end_ms = performance.now() + WAIT_MS;
      while (seen.length < count) {
        if (performance.now() > end_ms) throw new Error(`bolt saw ${seen.length} of ${count}`);
        await delay(5);
      }
    },
    async close() {
      if (!server.listening) return;
      const stopped = receiver.stop();
      server.closeAllConnections();
      await stopped;
    },
  };
}
