// gollum-notify when Slack, the network or the step's files fail.

import { fixture } from '../e2e/support.mjs';
import { ONE_MESSAGE, slackRows } from './slack_rows.mjs';

const EVENT = ['--event', fixture('gollum/two_pages.json')];

const BOTH = { ...ONE_MESSAGE, 'summary on a full disk': [74, 1, 1] };
const API_ONLY = {
  'Slack says invalid_auth': [77, 1, 0], 'Slack says msg_too_long': [65, 1, 0], 'Slack says missing_scope': [77, 1, 0],
  'Slack says ratelimited (HTTP 200), once': [0, 2, 1],
};

export const gollumNotify = {
  command: 'gollum-notify',
  about: 'One event of two pages, told to one channel by a webhook or a bot token.',
  counts: ['requests', 'messages posted'],
  rows: [
    ...slackRows('gollum-notify', {
      way: 'webhook', on: 'webhook', args: () => EVENT, env: ({ webhookUrl }) => ({ SLACK_WEBHOOK: webhookUrl }), expected: BOTH,
    }),
    ...slackRows('gollum-notify', {
      way: 'token', on: 'chat.postMessage', args: ({ apiUrl }) => [...EVENT, '--channel', '#ops', '--api', apiUrl],
      env: ({ token }) => ({ SLACK_BOT_TOKEN: token }), expected: { ...BOTH, ...API_ONLY },
    }),
  ],
};
