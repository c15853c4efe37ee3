import { describe, expect, it } from 'vitest';
import { hasOurSections, withStereo } from './streams.ts';

const section = (kind: string, lines: readonly string[] = []): string =>
  [`m=${kind} 9 UDP/TLS/RTP/SAVPF 111`, ...lines, ''].join('\r\n');
const opus = ['a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1'];
const ours = [
  'v=0\r\n',
  section('audio', opus),
  section('video'),
  section('video'),
  section('audio', opus),
  section('application'),
].join('');

describe('a description', () => {
  it('has our streams in our order and nothing else', () => {
    expect(hasOurSections(ours)).toBe(true);
    for (const other of [
      '',
      'v=0\r\n',
      ours + section('video'),
      ours.replace('m=video', 'm=audio'),
      ours.replace('m=application', 'm=message'),
    ])
      expect(hasOurSections(other)).toBe(false);
  });

  it('asks for two sides of the sound of a screen, and of no voice', () => {
    const asked = withStereo(ours);
    expect(asked.match(/stereo=1/g)).toHaveLength(2);
    const [, voice, , , sound] = asked.split(/(?=^m=)/m);
    expect(voice).not.toContain('stereo');
    expect(sound).toContain('a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1\r\n');
    expect(withStereo('v=0\r\n')).toBe('v=0\r\n');
  });
});
