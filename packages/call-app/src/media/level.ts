/** How loud a track is, at most ten times a second, 0 to 1. One AudioContext for the page; a meter holds one analyser while it runs. */

const PERIOD_MS = 100;
/** Finer steps would only make the page draw what nobody sees. */
const STEPS = 16;
let shared: AudioContext | undefined;

function context(): AudioContext {
  shared ??= new AudioContext();
  // Suspended until a gesture where the page has had none; a click on the way resumes it.
  if (shared.state === 'suspended') void shared.resume().catch(() => undefined);
  return shared;
}

/** Loudness as an ear has it: -60 dB is silence, -12 dB is full. */
function level(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.min(1, Math.max(0, (decibels + 60) / 48));
}

/** Calls back after every change until the returned function is called. The track is only listened to, never stopped. */
export function meter(track: MediaStreamTrack, listener: (level: number) => void): () => void {
  const audio = context();
  const source = audio.createMediaStreamSource(new MediaStream([track]));
  const analyser = audio.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let shown = 0;
  let told = -1;
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const now = track.enabled ? level(samples) : 0;
    // Up at once, down slowly: a bar that flickers between syllables cannot be read.
    shown = Math.max(now, shown - 0.15);
    const step = Math.round(shown * STEPS) / STEPS;
    if (step === told) return;
    told = step;
    listener(step);
  }, PERIOD_MS);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}
