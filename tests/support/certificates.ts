import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = promisify(execFile);
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

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

  /** A server's certificate for names as `IP:127.0.0.1` or `DNS:db.test`, and its key, which only `uid` may read. */
  async server(
    authority: string,
    names: string,
    uid: number | undefined,
  ): Promise<{ certificate: string; key: string }> {
    const [key, request, certificate, extensions] = ['key', 'csr', 'crt', 'ext'].map((end) =>
      this.#path(`server.${end}`),
    ) as [string, string, string, string];
    await writeFile(extensions, `subjectAltName=${names}\n`);
    await openssl('openssl', ['req', ...curve, '-subj', '/CN=server', '-keyout', key, '-out', request]);
    const signer = ['-CA', authority, '-CAkey', authority.replace(/crt$/, 'key'), '-CAcreateserial'];
    const output = ['-days', '2', '-extfile', extensions, '-out', certificate];
    await openssl('openssl', ['x509', '-req', '-in', request, ...signer, ...output]);
    await chmod(key, 0o600);
    if (uid !== undefined) await chown(key, uid, uid);
    return { certificate, key };
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
