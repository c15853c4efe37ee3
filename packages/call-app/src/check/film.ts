/** What a check sends instead of a person: a picture that is hard to compress, and a quiet tone. Nobody is filmed or heard by it. */

export interface Film {
  readonly stream: MediaStream;
  stop(): void;
}

const WIDTH = 1280;
const HEIGHT = 720;
const FPS = 24;
/** Fine enough that an encoder takes all the bits it may. */
const GRAIN = 4;
/** A pixel whose red is still free, as bytes lie in memory. */
const OPAQUE = 0xff_80_60_00;

export function openFilm(): Film {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d');
  const grains = new ImageData(WIDTH / GRAIN, HEIGHT / GRAIN);
  const pixels = new Uint32Array(grains.data.buffer);
  const small = document.createElement('canvas');
  small.width = grains.width;
  small.height = grains.height;
  const smallContext = small.getContext('2d');
  const draw = (): void => {
    // Noise needs no secret randomness, only to be new.
    for (let at = 0; at < pixels.length; at++) pixels[at] = OPAQUE | (Math.random() * 256);
    smallContext?.putImageData(grains, 0, 0);
    context?.drawImage(small, 0, 0, WIDTH, HEIGHT);
  };
  draw();
  const timer = setInterval(draw, 1_000 / FPS);
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const quiet = audio.createGain();
  const out = audio.createMediaStreamDestination();
  quiet.gain.value = 0.05;
  tone.connect(quiet).connect(out);
  tone.start();
  const stream = new MediaStream([...canvas.captureStream(FPS).getTracks(), ...out.stream.getTracks()]);
  return {
    stream,
    stop() {
      clearInterval(timer);
      for (const track of stream.getTracks()) track.stop();
      void audio.close();
    },
  };
}
