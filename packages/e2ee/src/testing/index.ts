export { IdealWorld } from './ideal.ts';
export { derivable } from './leaks.ts';
export { baseKeyOf, decode, type Message } from './reference-model.ts';
export { type ReferenceHeld, type ReferenceLibrary, referenceLibrary } from './reference.ts';
