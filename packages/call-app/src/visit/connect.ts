/** The one door to the SDK; the visual test puts a made-up call behind it. */
export { connect, measureRegions, prepare } from '@veilcast/client';
