// What a node of the stand-in EventStoreDB says of itself: its cluster's members, and what its version can do.

import { randomUUID } from 'node:crypto';
import { finish, send } from './eventstore_call.mjs';
import { Refusal, STATUS, features, gossip, streams, uuid } from './eventstore_wire.mjs';

export const VERSIONS = ['20.10', '22.10', '23.10', '24.2', '25.1'];

// Read from the server's sources, not asked of a server: streamPositions.
export function abilities(version) {
  const at = VERSIONS.indexOf(version);
  if (at < 0) throw new Error(`no such version: ${version}`);
  return {
    features: at >= 1, batchAppend: at >= 1, streamPositions: at >= 1, caughtUp: at >= 2, caughtUpWhenAbsent: at >= 3,
    timestamps: at >= 4 && 'setTimestamp' in streams.ReadResp.CaughtUp.prototype, // not with the older definitions
  };
}

const STREAMS = 'event_store.client.streams.streams';
const GROUPS = 'event_store.client.persistent_subscriptions.persistentsubscriptions';
const METHODS = [
  [STREAMS, 'read', ['position', 'events']], [STREAMS, 'append', []], [STREAMS, 'batchappend', ['deadline_duration']],
  [STREAMS, 'delete', []], [STREAMS, 'tombstone', []], [GROUPS, 'create', ['stream', 'all']],
  [GROUPS, 'delete', ['stream', 'all']], [GROUPS, 'read', ['stream', 'all']], [GROUPS, 'getinfo', ['stream', 'all']],
  [GROUPS, 'replayparked', ['stream', 'all']],
];

export async function answerFeatures(store, call) {
  if (!store.can.features) throw new Refusal(STATUS.unimplemented, 'Service is unimplemented.');
  const message = new features.SupportedMethods();
  message.setEventStoreServerVersion(`${store.version}.0`);
  for (const [service, method, list] of METHODS) {
    const supported = new features.SupportedMethod();
    supported.setServiceName(service);
    supported.setMethodName(method);
    supported.setFeaturesList(list);
    message.addMethods(supported);
  }
  await send(call, message);
  return finish(call);
}

// { host, port, state, alive }: the state in the protocol's words, in capitals: LEADER, FOLLOWER, READONLYREPLICA…
export async function answerGossip(store, call) {
  const cluster = new gossip.ClusterInfo();
  for (const { host = '127.0.0.1', port, state = 'LEADER', alive = true } of store.members()) {
    const number = gossip.MemberInfo.VNodeState[state];
    if (number === undefined) throw new Error(`no such state: ${state}`);
    const end = new gossip.EndPoint();
    end.setAddress(host);
    end.setPort(port);
    const member = new gossip.MemberInfo();
    member.setInstanceId(uuid(randomUUID()));
    member.setTimeStamp(String(BigInt(Date.now()) * 10_000n));
    member.setState(number);
    member.setIsAlive(alive);
    member.setHttpEndPoint(end);
    cluster.addMembers(member);
  }
  await send(call, cluster);
  return finish(call);
}
