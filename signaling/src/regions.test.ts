/** What a token says of regions goes wherever its Room is placed and planned, through whichever process somebody came. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fixture, until, type Started } from './testing/fixture.ts';

let fixture: Fixture;
let other: Started;
beforeEach(async () => {
  fixture = await Fixture.open({ oneRoot: true });
  other = await fixture.start('sig-2');
});
afterEach(() => fixture.close());

test('every place and every demand of the Room carries the regions of its tokens', async () => {
  await fixture.client().join(await fixture.token('demo', 'host', ['us', 'eu']));
  await fixture.client(other.url).join(await fixture.token('demo', 'speaker', ['eu', 'us']));
  await fixture.client(other.url).join(await fixture.token('demo', 'viewer'));
  const places = fixture.cascade.calls('place');
  expect(places.map(({ regions }) => regions)).toEqual(Array.from({ length: 3 }, () => ['eu', 'us']));
  await until(() => fixture.cascade.calls('putDemand').at(-1)?.peers.length === 3, 'the demand');
  for (const { regions } of fixture.cascade.calls('putDemand')) expect(regions).toEqual(['eu', 'us']);
});

test('a token with other regions is refused at both processes, and nothing of it is placed', async () => {
  await fixture.client().join(await fixture.token('demo', 'host', ['eu']));
  for (const url of [fixture.main.url, other.url]) {
    const stranger = fixture.client(url);
    await expect(stranger.join(await fixture.token('demo', 'speaker', ['eu', 'us']))).rejects.toMatchObject({
      code: 'NO_REGION',
    });
  }
  expect(fixture.cascade.calls('place')).toHaveLength(1);
});

test('a Room whose tokens name no region is asked for without one', async () => {
  await fixture.enter();
  expect(fixture.cascade.calls('place')[0]?.regions).toEqual([]);
});
