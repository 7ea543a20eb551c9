import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A key service on this machine that behaves like the real one where the SDK touches it. */
export interface KeyService extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  /** Requests answered, by operation. */
  readonly calls: string[];
  close(): Promise<void>;
}

type Answer = readonly [status: number, body: unknown];

async function serve(answer: (request: IncomingMessage, body: string) => Answer, calls: string[]): Promise<KeyService> {
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const [status, body] = answer(request, Buffer.concat(parts).toString('utf8'));
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://${host}`, host, calls, close, [Symbol.asyncDispose]: close };
}

function wrap(key: Buffer, plain: Buffer, context: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function unwrap(key: Buffer, blob: Buffer, context: string): Buffer | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, blob.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(context)).setAuthTag(blob.subarray(-16));
    return Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** The transit engine's `datakey/plaintext`, `decrypt` and `rotate` for one key with `derived=true`. */
export async function vaultService(token: string): Promise<KeyService> {
  const calls: string[] = [];
  const versions = [randomBytes(32)];
  return serve((request, body) => {
    if (request.headers['x-vault-token'] !== token) return [403, { errors: ['permission denied'] }];
    const operation = request.url?.replace('/v1/transit/', '') ?? '';
    calls.push(operation);
    const { context = '', ciphertext = '' } = (body ? JSON.parse(body) : {}) as Record<string, string>;
    if (operation === 'keys/orders/rotate') {
      versions.push(randomBytes(32));
      return [204, {}];
    }
    if (operation === 'datakey/plaintext/orders') {
      const plain = randomBytes(32);
      const key = versions.at(-1) ?? Buffer.alloc(32);
      const blob = wrap(key, plain, context).toString('base64');
      return [200, { data: { plaintext: plain.toString('base64'), ciphertext: `vault:v${versions.length}:${blob}` } }];
    }
    const [, version = '', blob = ''] = /^vault:v(\d+):(.*)$/.exec(ciphertext) ?? [];
    const plain = unwrap(versions[Number(version) - 1] ?? Buffer.alloc(32), Buffer.from(blob, 'base64'), context);
    return plain
      ? [200, { data: { plaintext: plain.toString('base64') } }]
      : [400, { errors: ['cipher: message authentication failed'] }];
  }, calls);
}

/** GenerateDataKey and Decrypt of AWS KMS. It computes the signature of what arrived by itself. */
export async function kmsService(secretAccessKey: string, region: string): Promise<KeyService> {
  const calls: string[] = [];
  const key = randomBytes(32);
  return serve((request, body) => {
    if (!isSigned(request, body, secretAccessKey, region)) return [400, { __type: 'InvalidSignatureException' }];
    const operation = String(request.headers['x-amz-target']).replace('TrentService.', '');
    calls.push(operation);
    const input = JSON.parse(body) as { KeyId: string; CiphertextBlob?: string; EncryptionContext?: object };
    const context = JSON.stringify([input.KeyId, input.EncryptionContext ?? {}]);
    if (operation === 'GenerateDataKey') {
      const plain = randomBytes(32);
      const blob = wrap(key, plain, context).toString('base64');
      return [200, { KeyId: input.KeyId, Plaintext: plain.toString('base64'), CiphertextBlob: blob }];
    }
    const plain = unwrap(key, Buffer.from(input.CiphertextBlob ?? '', 'base64'), context);
    return plain
      ? [200, { KeyId: input.KeyId, Plaintext: plain.toString('base64') }]
      : [400, { __type: 'InvalidCiphertextException' }];
  }, calls);
}

/** Signature Version 4, checked from the receiver's side. */
function isSigned(request: IncomingMessage, body: string, secret: string, region: string): boolean {
  const header = request.headers.authorization ?? '';
  const [, names = '', signature = ''] = /SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(header) ?? [];
  const time = String(request.headers['x-amz-date']);
  const lines = names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  const canonical = ['POST', request.url, '', lines.join(''), names, digest(body)].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/kms/aws4_request`;
  const mac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const signing = mac(mac(mac(mac(`AWS4${secret}`, time.slice(0, 8)), region), 'kms'), 'aws4_request');
  return signature === mac(signing, ['AWS4-HMAC-SHA256', time, scope, digest(canonical)].join('\n')).toString('hex');
}
