/** A tone to hear whether the speaker works: two notes, quiet enough for headphones. */

const NOTES = [440, 660] as const;
const NOTE_MS = 400;

export class Tone {
  #context: AudioContext | undefined;

  /** Resolves when it has been played. */
  async play(): Promise<void> {
    const context = (this.#context ??= new AudioContext());
    await context.resume();
    const from = context.currentTime;
    const gain = context.createGain();
    gain.gain.value = 0.2;
    gain.connect(context.destination);
    for (const [place, note] of NOTES.entries()) {
      const tone = context.createOscillator();
      tone.frequency.value = note;
      tone.connect(gain);
      tone.start(from + (place * NOTE_MS) / 1_000);
      tone.stop(from + ((place + 1) * NOTE_MS) / 1_000);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, NOTES.length * NOTE_MS);
    });
    gain.disconnect();
  }
}
