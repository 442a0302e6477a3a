// Keys and certificates of the clients. They are made for one run: nothing secret is in the repository.

import { execFileSync } from 'node:child_process';
import { X509Certificate, createPrivateKey, createPublicKey, randomUUID, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { cluster } from './directory.mjs';

/** Makes a certificate for applications, another that nobody registered, and the key of a workload issuer. */
export function make(folder) {
  for (const name of ['registered', 'stranger', 'cluster']) {
    const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
    execFileSync('openssl', [
      'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', '2', '-subj', `/CN=${name}`,
      '-keyout', key, '-out', certificate,
    ], { stdio: 'pipe' });
    // Both in one file is what @azure/identity reads.
    writeFileSync(join(folder, `${name}.pem`), readFileSync(certificate) + readFileSync(key, 'utf8'), { mode: 0o600 });
  }
  return {
    certificate: readFileSync(join(folder, 'registered.crt'), 'utf8'),
    jwks: JSON.stringify(keySet(join(folder, 'cluster.key'))),
  };
}

/** What an application does with one of the certificates. */
export function certificate(folder, name) {
  const [file, privateKey] = [join(folder, `${name}.pem`), readFileSync(join(folder, `${name}.key`), 'utf8')];
  const pem = readFileSync(join(folder, `${name}.crt`), 'utf8');
  const { fingerprint, fingerprint256 } = new X509Certificate(pem);
  const hex = (text) => text.replaceAll(':', '');
  return { file, pem, privateKey, sha1: hex(fingerprint), sha256: hex(fingerprint256) };
}

/** A token of the workload issuer, as a cluster would write it into a file. */
export function workloadToken(folder, changes = {}) {
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: 'RS256', typ: 'JWT', kid: 'cluster' };
  const payload = {
    iss: cluster.issuer, sub: cluster.subject, aud: 'api://AzureADTokenExchange',
    iat: now, nbf: now, exp: now + 3600, jti: randomUUID(), ...changes,
  };
  const text = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(text), createPrivateKey(readFileSync(join(folder, 'cluster.key'))));
  return `${text}.${signature.toString('base64url')}`;
}

function keySet(file) {
  const { kty, n, e } = createPublicKey(readFileSync(file)).export({ format: 'jwk' });
  return { keys: [{ kty, n, e, kid: 'cluster', use: 'sig' }] };
}
