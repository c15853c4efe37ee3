/**
 * A film that says who it is and which frame it shows, so that a test can read both off what a far browser decoded.
 *
 * The top quarter of each picture is 20 black or white columns: 4 bits of the actor, 12 of the frame counter, 4 of a checksum.
 * Below it a grey bar moves, so that the encoder has work. The sound is one beep a second.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';

export const WIDTH = 640;
export const HEIGHT = 360;
export const FPS = 15;
export const SECONDS = 20;
const ACTOR_BITS = 4;
const FRAME_BITS = 12;
const CHECK_BITS = 4;
export const COLUMNS = ACTOR_BITS + FRAME_BITS + CHECK_BITS;
/** The top 1/BAND of the picture carries the code. */
export const BAND = 4;

/** Sum of the 4-bit groups, so that a half-decoded picture is not taken for a reading. */
function checksum(actor: number, frame: number): number {
  return (actor * 3 + (frame & 15) + ((frame >> 4) & 15) * 5 + (frame >> 8) * 7 + 9) & 15;
}

/** What the columns of a frame say, the first column in the highest bit. */
export function codeOf(actor: number, frame: number): number {
  return (actor << (FRAME_BITS + CHECK_BITS)) | (frame << CHECK_BITS) | checksum(actor, frame);
}

/** What a row of luminances (0 to 255, one a column) says; undefined when it is not one of our pictures. */
export function readCode(luminances: readonly number[]): { actor: number; frame: number } | undefined {
  if (luminances.length !== COLUMNS || luminances.some((each) => each > 80 && each < 175)) return undefined;
  const value = luminances.reduce((bits, each) => (bits << 1) | (each > 127 ? 1 : 0), 0);
  const actor = value >> (FRAME_BITS + CHECK_BITS);
  const frame = (value >> CHECK_BITS) & ((1 << FRAME_BITS) - 1);
  return value === codeOf(actor, frame) ? { actor, frame } : undefined;
}

/** Pixels of a column in what a page reads; only the middle one counts, away from the edges that coding blurs. */
const COLUMN_WIDTH = 5;

/**
 * What a page runs on a video element to read such a row, and how wide the picture is; undefined before there is one. It is
 * drawn once: between two drawings the picture may have changed.
 */
export const LOOK = `(video) => {
  if (!video || video.videoWidth === 0) return undefined;
  const canvas = document.createElement('canvas');
  canvas.width = ${COLUMNS * COLUMN_WIDTH};
  canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const { videoWidth: width, videoHeight: height } = video;
  context.drawImage(video, 0, height / ${BAND * 4}, width, height / ${BAND * 2}, 0, 0, canvas.width, 1);
  const { data } = context.getImageData(0, 0, canvas.width, 1);
  const middle = (column) => (column * ${COLUMN_WIDTH} + ${Math.floor(COLUMN_WIDTH / 2)}) * 4;
  return { width, luminances: Array.from({ length: ${COLUMNS} }, (_, column) => data[middle(column) + 1]) };
}`;

export interface Look {
  readonly width: number;
  readonly luminances: number[];
}

/** One I420 picture. */
function picture(actor: number, frame: number): Buffer {
  const i420 = Buffer.alloc((WIDTH * HEIGHT * 3) / 2, 128);
  const bits = codeOf(actor, frame);
  const band = HEIGHT / BAND;
  const row = Buffer.alloc(WIDTH);
  for (let x = 0; x < WIDTH; x++) {
    const column = Math.floor((x * COLUMNS) / WIDTH);
    row[x] = (bits >> (COLUMNS - 1 - column)) & 1 ? 235 : 16;
  }
  for (let y = 0; y < band; y++) row.copy(i420, y * WIDTH);
  const bar = (frame * 8) % (WIDTH - 64);
  for (let y = band; y < HEIGHT; y++) i420.fill(60 + actor * 20, y * WIDTH + bar, y * WIDTH + bar + 64);
  return i420;
}

async function ffmpeg(
  args: readonly string[],
  feed?: (write: (chunk: Buffer) => Promise<void>) => Promise<void>,
): Promise<void> {
  const child = spawn('ffmpeg', ['-v', 'error', '-y', ...args], {
    stdio: [feed ? 'pipe' : 'ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'close');
  const { stdin } = child;
  if (feed && stdin) {
    await feed(async (chunk) => {
      if (!stdin.write(chunk)) await once(stdin, 'drain');
    });
    stdin.end();
  }
  const [exit] = (await ended) as [number | null];
  if (exit !== 0) throw new Error(`ffmpeg ended with ${exit}: ffmpeg ${args.join(' ')}`);
}

export interface Film {
  readonly actor: number;
  /** Motion JPEG, for --use-file-for-fake-video-capture. */
  readonly video: string;
  /** WAV, for --use-file-for-fake-audio-capture. */
  readonly audio: string;
}

/** Makes the film of an actor (0 to 15) in a folder, once. */
export async function makeFilm(folder: string, actor: number): Promise<Film> {
  await mkdir(folder, { recursive: true });
  const film: Film = { actor, video: join(folder, `actor-${actor}.mjpeg`), audio: join(folder, `actor-${actor}.wav`) };
  const there = await Promise.all(
    [film.video, film.audio].map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  if (there.every(Boolean)) return film;
  const size = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${WIDTH}x${HEIGHT}`, '-r', String(FPS)];
  await ffmpeg([...size, '-i', '-', '-f', 'mjpeg', '-q:v', '3', `${film.video}.part`], async (write) => {
    for (let frame = 0; frame < FPS * SECONDS; frame++) await write(picture(actor, frame));
  });
  const tone = `aevalsrc='0.5*sin(2*PI*${440 + actor * 110}*t)*lt(mod(t,1),0.1)':s=48000:d=${SECONDS}`;
  await ffmpeg(['-f', 'lavfi', '-i', tone, '-f', 'wav', `${film.audio}.part`]);
  await rename(`${film.video}.part`, film.video);
  await rename(`${film.audio}.part`, film.audio);
  return film;
}
