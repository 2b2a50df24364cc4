// slack-post when Slack, the network or the step's files fail: a message by webhook and by token, a file, a stream.

import { ONE_MESSAGE, slackRows } from './slack_rows.mjs';

const API_ONLY = {
  'Slack says invalid_auth': [77, 1, 0], 'Slack says msg_too_long': [65, 1, 0], 'Slack says missing_scope': [77, 1, 0],
  'Slack says ratelimited (HTTP 200), once': [0, 2, 1],
};

// Met by the upload of the bytes. A file is shared by a last request only, so the upload may be sent twice.
const FILE = {
  'HTTP 403': [77, 2, 0], 'HTTP 404': [76, 2, 0], 'HTTP 429, Retry-After 1, once': [0, 4, 1], 'HTTP 500, once': [0, 4, 1],
  'HTTP 503 until the budget is spent': [75, 3, 0], 'HTTP 504': [0, 4, 1],
  'reset before the request is read': [0, 4, 1], 'reset when the request was taken': [0, 4, 1],
  'reset in the middle of the reply': [0, 4, 1], 'HTML instead of an answer': [1, 3, 0], 'redirect to elsewhere': [76, 2, 0],
  'oversized reply (9 MiB)': [0, 4, 1], 'SIGTERM while it waits': [130, 2, 0],
};

// Two lines in one message. What may have been posted is posted again: no line is lost.
const STREAM = {
  'HTTP 401': [77, 1, 0], 'HTTP 429, Retry-After 1, once': [0, 2, 1], 'HTTP 503, once': [0, 2, 1],
  'HTTP 503 until the budget is spent': [75, 2, 0], 'Slack says channel_not_found': [78, 1, 0],
  'Slack says invalid_auth': [77, 1, 0], 'connection refused': [69, 0, 0],
  'reset before the request is read': [0, 2, 1], 'reset when the request was taken': [0, 2, 2],
  'no reply in time': [0, 2, 1],
};

const byToken = {
  on: 'chat.postMessage', args: ({ apiUrl }) => ['--channel', '#ops', '--api', apiUrl, 'a *text*'],
  env: ({ token }) => ({ SLACK_BOT_TOKEN: token }),
};

export const slackPost = {
  command: 'slack-post',
  about: 'One text to one channel by a webhook or a bot token; a file (the fault meets its upload: three requests, and '
    + 'the message is posted by the last); two lines as a stream.',
  counts: ['requests', 'messages posted'],
  rows: [
    ...slackRows('slack-post', {
      way: 'webhook', on: 'webhook', args: () => ['a *text*'], env: ({ webhookUrl }) => ({ SLACK_WEBHOOK: webhookUrl }), expected: ONE_MESSAGE,
    }),
    ...slackRows('slack-post', { ...byToken, way: 'token', expected: { ...ONE_MESSAGE, ...API_ONLY } }),
    ...slackRows('slack-post', {
      ...byToken, way: 'file', on: 'upload', stdin: 'what is in the file',
      args: ({ apiUrl }) => ['--channel', 'C00000002', '--api', apiUrl, '--file', '-', '--filename', 'a.txt'], expected: FILE,
    }),
    ...slackRows('slack-post', {
      ...byToken, way: 'stream', stdin: 'one\ntwo\n', args: ({ apiUrl }) => ['--channel', '#ops', '--api', apiUrl, '--stream'], expected: STREAM,
    }),
  ],
};
