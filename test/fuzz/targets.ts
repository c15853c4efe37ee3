/** Every decoder of what comes from outside: a line for each. Two tables, for two processors. */
import {
  broadcastTarget,
  contentTarget,
  m1Target,
  m2Target,
  m3Target,
  manifestTarget,
  payloadTarget,
  recordTarget,
} from './channel.ts';
import { frameTarget, headerTarget, kindTarget, saidTarget } from './frames.ts';
import { commitTarget, groupInfoTarget, keyPackageTarget, messageTarget, welcomeTarget } from './groups.ts';
import {
  attestationTarget,
  bundleTarget,
  consistencyTarget,
  credentialTarget,
  headTarget,
  inclusionTarget,
  proofTarget,
  revocationsTarget,
  statementTarget,
} from './identities.ts';
import { controlTarget, eventTarget, pictureTarget, requestTarget } from './messages.ts';
import type { MakeTarget } from './target.ts';

export const SEALED: Readonly<Record<string, MakeTarget>> = {
  manifest: manifestTarget,
  'handshake m1': m1Target,
  'handshake m2': m2Target,
  'handshake m3': m3Target,
  'handshake payload': payloadTarget,
  record: recordTarget,
  'record content': contentTarget,
  broadcast: broadcastTarget,
  bundle: bundleTarget,
  statement: statementTarget,
  attestation: attestationTarget,
  'device proof': proofTarget,
  revocations: revocationsTarget,
  'log head': headTarget,
  'inclusion proof': inclusionTarget,
  'consistency proof': consistencyTarget,
  credential: credentialTarget,
};

export const CALL: Readonly<Record<string, MakeTarget>> = {
  'application message': messageTarget,
  Commit: commitTarget,
  GroupInfo: groupInfoTarget,
  KeyPackage: keyPackageTarget,
  Welcome: welcomeTarget,
  'SFrame header': headerTarget,
  'frame of opus': frameTarget('opus'),
  'frame of vp8': frameTarget('vp8'),
  'frame of vp9': frameTarget('vp9'),
  'frame of h264': frameTarget('h264'),
  'frame of av1': frameTarget('av1'),
  'said frame': saidTarget,
  'said kinds': kindTarget,
  'client request': requestTarget,
  event: eventTarget,
  'operator picture': pictureTarget,
  'control frame': controlTarget,
};
