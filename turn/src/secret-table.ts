/**
 * The secrets as coturn reads them: the table `turn_secret` of its database, which it looks into at each new allocation. So they
 * change while it runs; and where the table is empty nobody new gets in while those who are in go on (ADR 0033).
 */
import { DatabaseSync } from 'node:sqlite';
import { REALM } from './coturn-config.ts';

/**
 * The other tables that coturn makes for itself, one thread after the other, at the first allocation that each of them judges. While
 * one makes them another cannot read, and refuses a good credential with 401.
 */
const COTURNS_OWN = `
  CREATE TABLE turnusers_lt (realm varchar(127) DEFAULT '', name varchar(512), hmackey char(128), PRIMARY KEY (realm, name));
  CREATE TABLE allowed_peer_ip (realm varchar(127) DEFAULT '', ip_range varchar(256), PRIMARY KEY (realm, ip_range));
  CREATE TABLE denied_peer_ip (realm varchar(127) DEFAULT '', ip_range varchar(256), PRIMARY KEY (realm, ip_range));
  CREATE TABLE turn_origin_to_realm (origin varchar(127), realm varchar(127), PRIMARY KEY (origin));
  CREATE TABLE turn_realm_option (realm varchar(127) DEFAULT '', opt varchar(32), value varchar(128), PRIMARY KEY (realm, opt));
  CREATE TABLE oauth_key (kid varchar(128), ikm_key varchar(256), timestamp bigint DEFAULT 0, lifetime integer DEFAULT 0,
    as_rs_alg varchar(64) DEFAULT '', realm varchar(127) DEFAULT '', PRIMARY KEY (kid));
  CREATE TABLE admin_user (name varchar(32), realm varchar(127), password varchar(127), PRIMARY KEY (name));`;

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
    );${COTURNS_OWN}`);
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
