import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = promisify(execFile);
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Whom a certificate is for. */
interface Subject {
  readonly commonName: string;
  readonly names?: string;
  readonly owner?: number | undefined;
}

/** Paths. */
interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** Certificates made with `openssl` in a folder that an unprivileged server can read. */
export class Certificates implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Certificates> {
    const folder = await mkdtemp('/tmp/safla-certificates-');
    await chmod(folder, 0o755);
    return new Certificates(folder);
  }

  /** A certificate authority; gives the path of its certificate. */
  async authority(name: string): Promise<string> {
    const [key, certificate] = [this.#path(`${name}.key`), this.#path(`${name}.crt`)];
    const subject = ['-subj', `/CN=${name}`, '-days', '2'];
    await openssl('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', certificate]);
    return certificate;
  }

  /**
   * A certificate and its key. `commonName` is how a client is called; `names` are where a server is, as
   * `IP:127.0.0.1,DNS:db.test`. Only `owner` may read the key.
   */
  async issued(authority: string, { commonName, names = 'DNS:none.test', owner }: Subject): Promise<Issued> {
    const [key, certificate] = [this.#path(`${commonName}.key`), this.#path(`${commonName}.crt`)];
    const [request, extensions] = [this.#path(`${commonName}.csr`), this.#path(`${commonName}.ext`)];
    await writeFile(extensions, `subjectAltName=${names}\n`);
    await openssl('openssl', ['req', ...curve, '-subj', `/CN=${commonName}`, '-keyout', key, '-out', request]);
    const signer = ['-CA', authority, '-CAkey', authority.replace(/crt$/, 'key'), '-CAcreateserial'];
    const output = ['-days', '2', '-extfile', extensions, '-out', certificate];
    await openssl('openssl', ['x509', '-req', '-in', request, ...signer, ...output]);
    await chmod(key, 0o600);
    if (owner !== undefined) await chown(key, owner, owner);
    return { certificate, key };
  }

  /** A file beside the certificates, which everybody may read. */
  async write(name: string, text: string): Promise<string> {
    await writeFile(this.#path(name), text, { mode: 0o644 });
    return this.#path(name);
  }

  read(path: string): Promise<string> {
    return readFile(path, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.folder, name);
  }
}
