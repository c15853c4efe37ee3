/** Values of configuration files that people write with units, and secrets that they keep in files. */
import { z } from 'zod';

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

function measured(units: Readonly<Record<string, number>>, example: string) {
  const pattern = new RegExp(`^(\\d+(?:\\.\\d+)?)(${Object.keys(units).join('|')})$`);
  return z.string().transform((text, context) => {
    const [, amount, unit] = pattern.exec(text) ?? [];
    const value = Number(amount) * (units[unit ?? ''] ?? Number.NaN);
    if (Number.isSafeInteger(Math.round(value))) return Math.round(value);
    context.addIssue({ code: 'custom', message: `expected a number and a unit, as in '${example}'` });
    return z.NEVER;
  });
}

/** `'500ms'`, `'1.5s'`, `'10m'`, `'2h'`, `'7d'`; a number of ms. */
export function duration() {
  return measured(MS, '500ms').pipe(z.number().brand<'Ms'>());
}
export type Ms = z.infer<ReturnType<typeof duration>>;

/** `'512B'`, `'64KiB'`, `'2MiB'`, `'1GiB'`; a number of bytes. */
export function size() {
  return measured(BYTES, '2MiB').pipe(z.number().brand<'Bytes'>());
}
export type Bytes = z.infer<ReturnType<typeof size>>;

const secrets = z.registry<{ readonly secret: true }>();

/** A text that only a file gives: `<NAME>_FILE` in the environment, `<key>File` elsewhere. Never printed. */
export function secret(min = 1) {
  return z.string().min(min).max(65_536).register(secrets, { secret: true });
}

/** Whether a leaf was made by `secret`, whatever is wrapped around it. */
export function isSecret(schema: z.ZodType): boolean {
  return secrets.has(schema) || (isWrapper(schema) && isSecret(schema.def.innerType as z.ZodType));
}

/** Takes defaults and optionality off. */
export function unwrapped(schema: z.ZodType): z.ZodType {
  return isWrapper(schema) ? unwrapped(schema.def.innerType as z.ZodType) : schema;
}

function isWrapper(schema: z.ZodType): schema is z.ZodOptional | z.ZodDefault | z.ZodPrefault | z.ZodNullable {
  return (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  );
}
