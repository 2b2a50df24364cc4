// Append, BatchAppend, Delete and Tombstone at the stand-in EventStoreDB.

import { append, softDelete, tombstone } from './eventstore_log.mjs';
import { finish, messages, send } from './eventstore_call.mjs';
import {
  Any, Refusal, STATUS, identifier, position, proposed, protobufEmpty, shared, status, streamOfIdentifier, streams,
} from './eventstore_wire.mjs';

const { AppendReq, AppendResp, BatchAppendReq, BatchAppendResp, DeleteReq, DeleteResp, TombstoneReq, TombstoneResp } = streams;

export async function answerAppend(store, call) {
  let options;
  const events = [];
  for await (const bytes of messages(call)) {
    const request = AppendReq.deserializeBinary(bytes);
    if (request.hasOptions()) options = request.getOptions();
    else events.push(proposed(request.getProposedMessage()));
  }
  if (!options) throw new Refusal(STATUS.invalidArgument, 'no options');
  const response = new AppendResp();
  try {
    const last = append(store.log, streamOfIdentifier(options.getStreamIdentifier()), events, { expected: expectedOf(options) }).at(-1);
    response.setSuccess(success(AppendResp.Success, AppendResp.Position, shared.Empty, last));
  } catch (error) {
    if (!error.isWrongVersion) throw error;
    response.setWrongExpectedVersion(wrongVersion(error));
  }
  await send(call, response);
  return finish(call);
}

export async function answerBatchAppend(store, call) {
  const open = new Map();
  for await (const bytes of messages(call)) {
    const request = BatchAppendReq.deserializeBinary(bytes);
    const id = Buffer.from(request.getCorrelationId().serializeBinary()).toString('hex');
    const batch = open.get(id) ?? { options: request.getOptions(), events: [] };
    batch.events.push(...request.getProposedMessagesList().map(proposed));
    open.set(id, batch);
    if (!request.getIsFinal()) continue;
    open.delete(id);
    await send(call, batchReply(store, request.getCorrelationId(), batch));
  }
  return finish(call);
}

export async function answerDelete(store, call) {
  return answerEnd(call, DeleteReq, DeleteResp, (stream, expected) => softDelete(store.log, stream, expected));
}

export async function answerTombstone(store, call) {
  return answerEnd(call, TombstoneReq, TombstoneResp, (stream, expected) => tombstone(store.log, stream, expected));
}

async function answerEnd(call, Request, Response, end) {
  for await (const bytes of messages(call)) {
    const options = Request.deserializeBinary(bytes).getOptions();
    const record = end(streamOfIdentifier(options.getStreamIdentifier()), expectedOf(options));
    const response = new Response();
    response.setPosition(position(Response.Position, record));
    await send(call, response);
  }
  return finish(call);
}

function expectedOf(options) {
  if (options.hasNoStream()) return 'none';
  if (options.hasAny()) return 'any';
  if (options.hasStreamExists()) return 'exists';
  return BigInt(options.getRevision ? options.getRevision() : options.getStreamPosition());
}

function success(Success, Position, Empty, last) {
  const message = new Success();
  if (!last) {
    message.setNoStream(new Empty());
    message.setNoPosition(new Empty());
    return message;
  }
  message.setCurrentRevision(String(last.revision));
  message.setPosition(position(Position, last));
  return message;
}

function wrongVersion({ expected, actual }) {
  const message = new AppendResp.WrongExpectedVersion();
  if (actual === undefined) message.setCurrentNoStream(new shared.Empty());
  else message.setCurrentRevision(String(actual));
  if (expected === 'none') message.setExpectedNoStream(new shared.Empty());
  else if (expected === 'exists') message.setExpectedStreamExists(new shared.Empty());
  else message.setExpectedRevision(String(expected));
  return message;
}

// A batch that can't be written is answered with an error of its own; the call goes on.
function batchReply(store, correlationId, { options, events }) {
  const response = new BatchAppendResp();
  response.setCorrelationId(correlationId);
  response.setStreamIdentifier(options.getStreamIdentifier());
  try {
    const stream = streamOfIdentifier(options.getStreamIdentifier());
    const last = append(store.log, stream, events, { expected: expectedOf(options) }).at(-1);
    response.setSuccess(success(BatchAppendResp.Success, shared.AllStreamPosition, protobufEmpty, last));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    response.setError(batchError(error, options.getStreamIdentifier()));
  }
  return response;
}

function batchError(error, stream) {
  const details = new Any();
  if (error.isWrongVersion) {
    details.pack(sharedWrongVersion(error).serializeBinary(), 'event_store.client.WrongExpectedVersion');
  } else {
    const deleted = new shared.StreamDeleted();
    deleted.setStreamIdentifier(identifier(streamOfIdentifier(stream)));
    details.pack(deleted.serializeBinary(), 'event_store.client.StreamDeleted');
  }
  const message = new status.Status();
  message.setCode(error.code);
  message.setMessage(error.message);
  message.setDetails(details);
  return message;
}

function sharedWrongVersion({ expected, actual }) {
  const message = new shared.WrongExpectedVersion();
  if (actual === undefined) message.setCurrentNoStream(new protobufEmpty());
  else message.setCurrentStreamRevision(String(actual));
  if (expected === 'none') message.setExpectedNoStream(new protobufEmpty());
  else if (expected === 'exists') message.setExpectedStreamExists(new protobufEmpty());
  else message.setExpectedStreamPosition(String(expected));
  return message;
}
