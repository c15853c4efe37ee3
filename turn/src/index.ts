// What this package exports.
export { TurnConfig, type TurnConfigInput } from './config.ts';
export { startTurn, type TurnOptions, type TurnServer } from './turn.ts';
