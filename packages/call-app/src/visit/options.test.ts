import * as fc from 'fast-check';
import { RoomId } from '@veilcast/protocol';
import { describe, expect, it } from 'vitest';
import { cleanName, NAME_MAX, readPlace, roomFromWords } from './options.ts';

const read = (path: string): ReturnType<typeof readPlace> => readPlace(new URL(path, 'https://call.example'));

describe('a link', () => {
  it('tells everything that DESIGN §11 lists', () => {
    expect(read('/r/demo?name=Ada%20L&region=eu&role=host&join=1&video=0&audio=0&token=t&codec=av1&relay=1')).toEqual({
      kind: 'room',
      options: {
        room: 'demo',
        name: 'Ada L',
        role: 'host',
        region: 'eu',
        token: 't',
        codec: 'av1',
        relay: true,
        peerToPeer: undefined,
        join: true,
        video: false,
        audio: false,
      },
    });
  });

  it('has defaults for what it does not tell or tells wrongly', () => {
    expect(read('/r/Demo?role=king&region=%20&join=yes&codec=h265')).toMatchObject({
      options: {
        room: 'demo',
        role: 'speaker',
        region: undefined,
        join: false,
        relay: false,
        video: true,
        audio: true,
        name: '',
        codec: undefined,
        peerToPeer: undefined,
      },
    });
  });

  it('believes the role of its token before its own', () => {
    const payload = btoa(JSON.stringify({ room: 'demo', role: 'viewer' })).replaceAll('=', '');
    expect(read(`/r/demo?role=host&token=e30.${payload}.c2ln`)).toMatchObject({ options: { role: 'viewer' } });
    expect(read('/r/demo?role=host&token=not.a.token')).toMatchObject({ options: { role: 'host' } });
  });

  it('is lost where there is no such page', () => {
    expect(read('/r/')).toEqual({ kind: 'lost' });
    expect(read('/r/a%20b')).toEqual({ kind: 'lost' });
    expect(read('/elsewhere')).toEqual({ kind: 'lost' });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => void readPlace(new URL(url))),
    );
  });
});

it('a cleaned name fits and stays the same when cleaned again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (name) => {
      const clean = cleanName(name);
      expect(clean.length).toBeLessThanOrEqual(NAME_MAX);
      expect(cleanName(clean)).toBe(clean);
      expect(clean.isWellFormed()).toBe(true);
    }),
  );
});

it('words become a room name or nothing', () => {
  expect(roomFromWords('  Équipe Été 2 ')).toBe('equipe-ete-2');
  expect(roomFromWords('¿?')).toBe('');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (words) => {
      const room = roomFromWords(words);
      expect(room === '' || RoomId.safeParse(room).success).toBe(true);
    }),
  );
});
