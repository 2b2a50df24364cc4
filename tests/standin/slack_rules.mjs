// What the stand-in Slack knows: its workspace, its error words, and what a message may hold.
//
// Refuses, as Slack does: messages without content, blocks of unknown type, blocks and texts over
// their limits. Lengths are UTF-16 units, the stricter reading of Slack's "characters".
// Fails: never throws on a client's input; checkMessage() answers with Slack's error word.
// Not checked: what stands inside rich_text, tables, cards, accessories and other elements.
//
// Sources: docs.slack.dev (reference/block-kit/blocks, messaging/sending-messages-using-incoming-
// webhooks), block types of @slack/types 3.2.0. "no more than … items allowed", "must be less than …
// characters" and "failed to match all allowed schemas" are Slack's own wording, seen in replies that
// people recorded in public; the wording of the rarer errors is ours.

export const BOT = {
  team_id: 'T00000001', team: 'Stand-in', url: 'https://stand-in.invalid/',
  user_id: 'U00000009', user: 'opsbelt', bot_id: 'B00000009', app_id: 'A00000009',
};

export const CHANNELS = [
  { id: 'C00000001', name: 'general', is_member: true, is_archived: false },
  { id: 'C00000002', name: 'ops', is_member: true, is_archived: false },
  { id: 'C00000003', name: 'runbooks', is_member: true, is_archived: false },
  { id: 'C00000004', name: 'attic', is_member: true, is_archived: true },
  { id: 'C00000005', name: 'boardroom', is_member: false, is_archived: false },
];

export const USERS = [
  { id: 'U00000001', name: 'ada', email: 'ada@example.com' },
  { id: 'U00000002', name: 'linus', email: 'linus@example.com' },
];

// groups:read is not among them, as in most bots: whoever lists private channels must ask for it.
export const SCOPES = [
  'chat:write', 'channels:read', 'files:write', 'im:write', 'reactions:write', 'users:read', 'users:read.email',
];

// What conversations.list lists -> the scope for it.
export const LIST_SCOPES = {
  public_channel: 'channels:read', private_channel: 'groups:read', im: 'im:read', mpim: 'mpim:read',
};

// An incoming webhook's error word -> HTTP status; every other word comes with 400.
export const WEBHOOK_STATUS = {
  action_prohibited: 403, posting_to_general_channel_denied: 403, invalid_token: 403, team_disabled: 403,
  channel_not_found: 404, no_service: 404, no_service_id: 404, no_team: 404,
  method_not_allowed: 405,
  channel_is_archived: 410,
  rate_limited: 429, ratelimited: 429,
  rollup_error: 500,
};

export const LIMITS = {
  text: 40000, blocks: 50, blocks_text: 13200, attachments: 100, block_id: 255,
  section_text: 3000, section_fields: 10, section_field: 2000, header_text: 150,
  context_elements: 10, actions_elements: 25, markdown_text: 12000, alt_text: 2000,
  list_page: 999, schedule_days: 120,
};

const BLOCK_TYPES = [
  'actions', 'alert', 'call', 'card', 'carousel', 'container', 'context', 'context_actions', 'data_table',
  'divider', 'file', 'header', 'image', 'input', 'markdown', 'plan', 'rich_text', 'section', 'table',
  'task_card', 'video',
];

// Block type -> (block, its JSON pointer) => list of errors. A type without a row here is not looked into.
const BLOCK_CHECKS = {
  actions: (block, at) => listErrors(block.elements, `${at}/elements`, LIMITS.actions_elements),
  context: contextErrors,
  header: (block, at) => textErrors(block.text, `${at}/text`, LIMITS.header_text, ['plain_text']),
  image: imageErrors,
  markdown: (block, at) => stringErrors(block.text, `${at}/text`, LIMITS.markdown_text),
  section: sectionErrors,
};

// --- What a message may hold ---

// { text, blocks, attachments } -> null when Slack would take it, else { error, errors: [...] }.
export function checkMessage({ text, blocks, attachments }) {
  const top = blocks ?? [];
  const attached = attachments ?? [];
  if (!isListOfObjects(top)) return { error: 'invalid_blocks_format', errors: [] };
  if (!isListOfObjects(attached)) return { error: 'invalid_attachments', errors: [] };
  if ((text ?? '') === '' && top.length === 0 && attached.length === 0) return { error: 'no_text', errors: [] };
  if (attached.length > LIMITS.attachments) return { error: 'too_many_attachments', errors: [] };

  const errors = blocksErrors(top, '/blocks');
  const all = [...top];
  for (const [i, attachment] of attached.entries()) {
    const inner = attachment.blocks ?? [];
    if (!isListOfObjects(inner)) return { error: 'invalid_blocks_format', errors: [] };
    errors.push(...blocksErrors(inner, `/attachments/${i}/blocks`));
    all.push(...inner);
  }
  if (errors.length > 0) return { error: 'invalid_blocks', errors };
  if (textLength(all) > LIMITS.blocks_text) return { error: 'msg_blocks_too_long', errors: [] };
  return null;
}

// The same for the methods that refuse a text where chat.postMessage cuts it.
export function checkUncut(message) {
  if (message.text.length > LIMITS.text) return { error: 'msg_too_long', errors: [] };
  return checkMessage(message);
}

function blocksErrors(blocks, at) {
  if (blocks.length > LIMITS.blocks) return [`no more than ${LIMITS.blocks} items allowed [json-pointer:${at}]`];
  return blocks.flatMap((block, i) => blockErrors(block, `${at}/${i}`));
}

function blockErrors(block, at) {
  if (block.type === undefined) return [`missing required field: type [json-pointer:${at}]`];
  if (!BLOCK_TYPES.includes(block.type)) return [`unsupported type: ${block.type} [json-pointer:${at}/type]`];
  const errors = block.block_id === undefined ? [] : stringErrors(block.block_id, `${at}/block_id`, LIMITS.block_id);
  return errors.concat(BLOCK_CHECKS[block.type]?.(block, at) ?? []);
}

function sectionErrors(block, at) {
  if (block.text === undefined && block.fields === undefined) {
    return [`missing required field: text or fields [json-pointer:${at}]`];
  }
  const errors = [];
  if (block.text !== undefined) errors.push(...textErrors(block.text, `${at}/text`, LIMITS.section_text));
  if (block.fields === undefined) return errors;
  errors.push(...listErrors(block.fields, `${at}/fields`, LIMITS.section_fields));
  if (errors.length > 0) return errors;
  return block.fields.flatMap((field, i) => textErrors(field, `${at}/fields/${i}`, LIMITS.section_field));
}

function contextErrors(block, at) {
  const errors = listErrors(block.elements, `${at}/elements`, LIMITS.context_elements);
  if (errors.length > 0) return errors;
  return block.elements.flatMap((element, i) => {
    if (element?.type === 'image') return imageErrors(element, `${at}/elements/${i}`);
    return textErrors(element, `${at}/elements/${i}`, LIMITS.section_text);
  });
}

function imageErrors(image, at) {
  const errors = stringErrors(image.alt_text, `${at}/alt_text`, LIMITS.alt_text);
  if (image.image_url === undefined && image.slack_file === undefined) {
    errors.push(`missing required field: image_url [json-pointer:${at}]`);
  }
  return errors;
}

// A text object. Where several types are allowed Slack first says that none of them matched.
function textErrors(object, at, limit, types = ['mrkdwn', 'plain_text']) {
  let errors;
  if (!isObject(object)) errors = [`must provide an object [json-pointer:${at}]`];
  else if (!types.includes(object.type)) errors = [`must be a valid enum value [json-pointer:${at}/type]`];
  else errors = stringErrors(object.text, `${at}/text`, limit);
  if (errors.length > 0 && types.length > 1) errors.unshift(`failed to match all allowed schemas [json-pointer:${at}]`);
  return errors;
}

function stringErrors(value, at, limit) {
  if (value === undefined) return [`missing required field [json-pointer:${at}]`];
  if (typeof value !== 'string') return [`must be a string [json-pointer:${at}]`];
  if (value.length === 0) return [`must be more than 0 characters [json-pointer:${at}]`];
  if (value.length > limit) return [`must be less than ${limit + 1} characters [json-pointer:${at}]`];
  return [];
}

function listErrors(value, at, limit) {
  if (!Array.isArray(value)) return [`must be an array [json-pointer:${at}]`];
  if (value.length === 0) return [`must have at least 1 item [json-pointer:${at}]`];
  if (value.length > limit) return [`no more than ${limit} items allowed [json-pointer:${at}]`];
  return [];
}

// The units of every string under a key "text", however deep.
function textLength(value) {
  let sum = 0;
  for (const [key, child] of Object.entries(value)) {
    if (key === 'text' && typeof child === 'string') sum += child.length;
    else if (child !== null && typeof child === 'object') sum += textLength(child);
  }
  return sum;
}

function isListOfObjects(value) {
  return Array.isArray(value) && value.every(isObject);
}

// --- Messages and channels, in and out ---

// #name, name or ID -> the channel, or Slack's refusal of it.
export function findChannel(channels, wanted) {
  const name = String(wanted).replace(/^#/, '');
  return usable(channels.find((known) => known.id === wanted || known.name === name));
}

// The same for an ID only.
export function findChannelById(channels, id) {
  return usable(channels.find((known) => known.id === id));
}

// A private channel does not exist for those who are not in it.
function usable(channel) {
  if (!channel || (channel.is_private && !channel.is_member)) return refuse('channel_not_found');
  if (channel.is_archived) return refuse('is_archived');
  if (!channel.is_member) return refuse('not_in_channel');
  return channel;
}

// The ID of the direct messages with a user.
export function directId(user) {
  return `D${user.id.slice(1)}`;
}

// conversations.list's types -> a list of them, or Slack's refusal.
export function readTypes(types, scopes) {
  const wanted = String(types || 'public_channel').split(',').map((type) => type.trim());
  if (wanted.some((type) => !Object.hasOwn(LIST_SCOPES, type))) return refuse('invalid_types');
  const needed = wanted.map((type) => LIST_SCOPES[type]).find((scope) => !scopes.includes(scope));
  return needed === undefined ? wanted : refuseScope(needed, scopes);
}

// chat.scheduleMessage's post_at -> null when Slack would take it, else its word.
export function checkPostAt(post_at) {
  const at_s = Number(post_at);
  const now_s = Date.now() / 1000;
  if (!/^\d+$/.test(String(post_at))) return 'invalid_time';
  if (at_s <= now_s) return 'time_in_past';
  return at_s > now_s + LIMITS.schedule_days * 86400 ? 'time_too_far' : null;
}

// Blocks and attachments may come as JSON in a string: forms know nothing else.
export function readMessage({ text, blocks, attachments }) {
  return { text: String(text ?? ''), blocks: readList(blocks), attachments: readList(attachments) };
}

function readList(value) {
  if (value === null || value === '') return undefined;
  return typeof value === 'string' ? parseJson(value) ?? value : value;
}

// The message as Slack gives it back.
export function shownMessage({ text, blocks, attachments }, ts, thread_ts) {
  const { user_id, bot_id, app_id, team_id } = BOT;
  const message = { type: 'message', user: user_id, bot_id, app_id, team: team_id, ts, text };
  if (thread_ts) message.thread_ts = String(thread_ts);
  if (blocks) message.blocks = blocks.map((block, i) => ({ block_id: `b${i}`, ...block }));
  if (attachments) message.attachments = attachments.map((attachment, i) => ({ id: i + 1, ...attachment }));
  return message;
}

export function refuseMessage({ error, errors }) {
  if (errors.length === 0) return refuse(error);
  return refuse(error, { errors, response_metadata: { messages: errors.map((text) => `[ERROR] ${text}`) } });
}

export function refuseArgument(...details) {
  return refuse('invalid_arguments', { response_metadata: { messages: details.map((text) => `[ERROR] ${text}`) } });
}

export function refuseScope(needed, scopes) {
  return refuse('missing_scope', { needed, provided: scopes.join(',') });
}

export function refuse(error, fields = {}) {
  return { ok: false, error, ...fields };
}

export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
