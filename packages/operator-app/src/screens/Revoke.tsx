/** Revokes a device that is lost, or every device of a user. The operator's key stays in its field. */
import { Act } from '@veilcast/design';
import { useState, type FormEvent, type ReactElement } from 'react';
import { words } from '../words.ts';
import { Card } from './Card.tsx';
import styles from './Revoke.module.css';

/** As people see it: twelve groups of four hexadecimal digits. */
const FINGERPRINT = /^([0-9a-f]{4} ?){12}$/i;

async function revoke(whom: string, key: string): Promise<string> {
  const response = await fetch('/api/operator/revocations', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === '' ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(FINGERPRINT.test(whom) ? { fingerprint: whom } : { user: whom }),
  });
  const answer = (await response.json()) as { revoked?: number; error?: { code: string } };
  if (answer.revoked !== undefined) return words.revoke.done(answer.revoked);
  const { code = '' } = answer.error ?? {};
  return words.revoke.refused[code] ?? words.revoke.failed(code);
}

export function Revoke(): ReactElement {
  const [whom, setWhom] = useState('');
  const [key, setKey] = useState('');
  const [told, setTold] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTold('');
    void revoke(whom.trim(), key.trim()).then(setTold, () => setTold(words.revoke.failed('')));
  };
  return (
    <Card title={words.revoke.title}>
      <form className={styles.form} onSubmit={submit}>
        <p className={styles.hint}>{words.revoke.hint}</p>
        <label className={styles.field}>
          {words.revoke.whom}
          <input
            className={styles.input}
            value={whom}
            maxLength={80}
            required
            onChange={(event) => setWhom(event.target.value)}
          />
        </label>
        <label className={styles.field}>
          {words.revoke.key}
          <input
            className={styles.input}
            type="password"
            autoComplete="off"
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        </label>
        <Act kind="danger" type="submit" testId="revoke">
          {words.revoke.act}
        </Act>
        <output className={styles.hint}>{told}</output>
      </form>
    </Card>
  );
}
