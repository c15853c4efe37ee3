/** Which implementation is used: the runtime's own where it holds, noble's elsewhere. Looked for once. */
import type { KeyEncapsulation, Signatures } from './model.ts';
import { hasNativeKeyEncapsulation, hasNativeSignatures, nativeKeyEncapsulation, nativeSignatures } from './native.ts';

export * from './model.ts';
export { nativeSigningKey } from './native.ts';

export async function chooseSignatures(subtle: SubtleCrypto): Promise<Signatures> {
  if (await hasNativeSignatures(subtle)) return nativeSignatures(subtle);
  return (await import('./noble.ts')).nobleSignatures;
}

export async function chooseKeyEncapsulation(subtle: SubtleCrypto): Promise<KeyEncapsulation> {
  if (await hasNativeKeyEncapsulation(subtle)) return nativeKeyEncapsulation(subtle);
  return (await import('./noble.ts')).nobleKeyEncapsulation;
}

let chosenSignatures: Promise<Signatures> | undefined;
let chosenKem: Promise<KeyEncapsulation> | undefined;

function dsa(): Promise<Signatures> {
  chosenSignatures ??= chooseSignatures(crypto.subtle);
  return chosenSignatures;
}

function kem(): Promise<KeyEncapsulation> {
  chosenKem ??= chooseKeyEncapsulation(crypto.subtle);
  return chosenKem;
}

/** ML-DSA-65 by whatever this runtime does best. */
export const signatures: Signatures = {
  generate: async () => (await dsa()).generate(),
  fromSeed: async (seed) => (await dsa()).fromSeed(seed),
  verify: async (publicKey, message, signature, context) =>
    (await dsa()).verify(publicKey, message, signature, context),
};

/** X-Wing by whatever this runtime does best. */
export const keyEncapsulation: KeyEncapsulation = {
  generate: async () => (await kem()).generate(),
  fromSeed: async (seed) => (await kem()).fromSeed(seed),
  encapsulate: async (publicKey) => (await kem()).encapsulate(publicKey),
};
