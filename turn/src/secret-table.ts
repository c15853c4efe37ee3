/**
 * The secrets as coturn reads them: the table `turn_secret` of its database, which it looks into at each new allocation. So they
 * change while it runs; and where the table is empty nobody new gets in while those who are in go on (ADR 0033).
 */
import { DatabaseSync } from 'node:sqlite';
import { REALM } from './coturn-config.ts';

export interface SecretTable {
  put(secrets: readonly string[]): void;
  close(): void;
}

/** @param path a new file, in a folder for this user alone */
export function openSecretTable(path: string): SecretTable {
  const database = new DatabaseSync(path);
  // coturn does not wait for a lock: with a log beside the file whoever reads is never in the way of whoever writes.
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS turn_secret (
      realm varchar(127) DEFAULT '', value varchar(127), PRIMARY KEY (realm, value)
    );`);
  const insert = database.prepare('INSERT INTO turn_secret (realm, value) VALUES (?, ?)');
  return {
    put: (secrets) => {
      database.exec('BEGIN IMMEDIATE; DELETE FROM turn_secret;');
      for (const secret of secrets) insert.run(REALM, secret);
      database.exec('COMMIT;');
    },
    close: () => database.close(),
  };
}
