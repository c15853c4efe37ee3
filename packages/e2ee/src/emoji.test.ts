import { describe, expect, it } from 'vitest';
import { EMOJI, groupEmoji } from './emoji.ts';

const digits = (first: number): string => [first, ...Array.from({ length: 63 }, () => 0)].map(hex).join('');
const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

describe('group emoji', () => {
  it('are ten of sixty-four, each a picture and a name of its own', () => {
    expect(EMOJI).toHaveLength(64);
    expect(new Set(EMOJI.map(([picture]) => picture)).size).toBe(64);
    expect(new Set(EMOJI.map(([, name]) => name)).size).toBe(64);
    expect(groupEmoji(digits(1))).toHaveLength(10);
    expect(groupEmoji('')).toEqual([]);
  });

  it('are frozen: an older client must show the same', () => {
    expect(
      groupEmoji(digits(0))
        .map(({ picture }) => picture)
        .join(' '),
    ).toBe('⛅ 📎 🌞 ⭐ ⚽ 🧲 🐙 🐷 🐢 🐢');
    expect(
      groupEmoji(digits(1))
        .map(({ name }) => name)
        .join(' '),
    ).toBe('octopus train turtle hammer car paperClip umbrella bread train fire');
  });

  it('use every picture about as often, at every place', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 640; i++) {
      const emoji = groupEmoji(hex(i & 255) + hex(i >> 8) + digits(0).slice(4));
      for (const { name } of emoji) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    // 100 of each are expected; a standard deviation is 10.
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(50);
    expect(counts.size).toBe(64);
  });
});
