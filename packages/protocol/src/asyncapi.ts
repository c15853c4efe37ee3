/**
 * The AsyncAPI 3 document and the error table, generated from the schemas, so that neither can lag behind them. The
 * committed copies in docs/api are compared in a test: a change of the protocol is a visible diff.
 */
import { z } from 'zod';
import { ERRORS } from './errors.ts';
import { EVENTS } from './events.ts';
import { PROTOCOL_VERSION, REQUESTS } from './requests.ts';

type Json = Record<string, unknown>;

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    // What JSON cannot say is bytes: a binary attachment of socket.io.
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === 'custom') Object.assign(jsonSchema, { type: 'string', format: 'binary' });
    },
  });
  return rest;
}

function messages(): Json {
  const all: Json = {};
  for (const [name, { body, result }] of Object.entries(REQUESTS)) {
    all[`request.${name}`] = { name, payload: schemaOf(body, 'input') };
    all[`result.${name}`] = { name, payload: schemaOf(result, 'output') };
  }
  for (const [name, body] of Object.entries(EVENTS)) all[`event.${name}`] = { name, payload: schemaOf(body, 'input') };
  return all;
}

function channelRef(name: string): Json {
  return { $ref: `#/channels/signaling/messages/${name}` };
}

/** Every client message. Requests are numbered per socket, `{id, name, body}`; events per Peer, `{seq, name, body}`. */
export function asyncApi(): Json {
  const components = messages();
  const names = Object.keys(components);
  const operations: Json = {};
  for (const name of Object.keys(REQUESTS)) {
    operations[name] = {
      action: 'send',
      channel: { $ref: '#/channels/signaling' },
      messages: [channelRef(`request.${name}`)],
      reply: { channel: { $ref: '#/channels/signaling' }, messages: [channelRef(`result.${name}`)] },
    };
  }
  for (const name of Object.keys(EVENTS)) {
    operations[`on.${name}`] = {
      action: 'receive',
      channel: { $ref: '#/channels/signaling' },
      messages: [channelRef(`event.${name}`)],
    };
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Veilcast signaling',
      version: String(PROTOCOL_VERSION),
      description:
        'socket.io 4, websocket transport, event `m`. Requests `{id, name, body}` are acknowledged with `{ok: true, result}` or `{ok: false, error}`; events are `{seq, name, body}`. A join with `queue` is told its place in line by `{re, queued: {place, waitMs}}`.',
      license: { name: 'Apache-2.0' },
    },
    channels: {
      signaling: {
        address: '/socket.io/',
        messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
      },
    },
    operations,
    components: { messages: components },
  };
}

/** The error codes as a Markdown table. */
export function errorTable(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { fault, retry, meaning }]) => `| \`${code}\` | ${fault} | ${retry} | ${meaning} |`,
  );
  const head = ['# Error codes', '', '| code | whose fault | try again | meaning |', '| --- | --- | --- | --- |'];
  return [...head, ...rows, ''].join('\n');
}
