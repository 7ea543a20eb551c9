import { createPrivateKey, sign } from 'node:crypto';
import { TokenKey, type TokenKeyOptions } from '@safla/sdk/security';
import { describe, expect, it } from 'vitest';
import { decodeBase64url } from '../../src/security/tokens/base64url.js';
import { loadSignatures } from '../../src/security/tokens/signatures.js';
import { parseStrictObject } from '../../src/security/tokens/strict-json.js';

/** The examples of the standards, typed in from their text. */
const signatures = await loadSignatures();

const payload15 = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
const payload20 =
  'SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4';

const hmacOf15 = 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow';
const vectors: readonly (readonly [string, TokenKeyOptions, string])[] = [
  [
    'RFC 7515 A.1, RFC 7519 3.1: HS256',
    { id: 'a', algorithm: 'HS256', secret: Buffer.from(hmacOf15, 'base64url') },
    `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${payload15}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
  ],
  [
    'RFC 7515 A.3: ES256',
    {
      id: 'a',
      algorithm: 'ES256',
      publicKey: {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
    },
    `eyJhbGciOiJFUzI1NiJ9.${payload15}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
  ],
  [
    'RFC 7520 4.4: HS256',
    {
      id: 'a',
      algorithm: 'HS256',
      secret: Buffer.from('hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg', 'base64url'),
    },
    `eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.${payload20}.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0`,
  ],
  [
    'RFC 8037 A.4: EdDSA',
    {
      id: 'a',
      algorithm: 'EdDSA',
      publicKey: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    },
    'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  ],
];

describe('the examples of the standards', () => {
  it.each(vectors)('%s verifies, and no changed one does', (_name, options, token) => {
    const key = new TokenKey(options);
    const [, , signature = ''] = token.split('.');
    const bytes = decodeBase64url(signature);
    expect(bytes).toBeDefined();
    const verify = (text: string): void => signatures.verify(text, key, bytes ?? Buffer.alloc(0));
    expect(() => verify(token)).not.toThrow();
    expect(() => verify(token.replace('.', '.A'))).toThrow('Invalid token');
  });

  it('RFC 8037 A.4 signs to the same bytes', () => {
    const jwk = {
      kty: 'OKP',
      crv: 'Ed25519',
      d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    };
    const input = 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc';
    const made = sign(null, Buffer.from(input), createPrivateKey({ key: jwk, format: 'jwk' })).toString('base64url');
    expect(vectors[3]?.[2]).toBe(`${input}.${made}`);
  });

  it('RFC 4648 section 10: base64url in one spelling', () => {
    const texts = { f: 'Zg', fo: 'Zm8', foo: 'Zm9v', foob: 'Zm9vYg', fooba: 'Zm9vYmE', foobar: 'Zm9vYmFy' };
    for (const [text, encoded] of Object.entries(texts)) expect(decodeBase64url(encoded)?.toString()).toBe(text);
    for (const wrong of ['', 'Z', 'Zg==', 'Zh', 'Zm9', 'Zm+v', 'Zm/v', 'Zm9v\n', ' Zm9v', 'Zm9vY'])
      expect(decodeBase64url(wrong)).toBeUndefined();
  });

  it('RFC 8259 section 4: an object says a member once', () => {
    for (const good of [
      '{}',
      ' { "a" : [ { "b" : 1 } , { "b" : 1 } ] } ',
      '{"1":0,"0":"{\\"a\\":1,\\"a\\":2}"}',
      '{"a":"a","b":"a"}',
    ])
      expect(parseStrictObject(Buffer.from(good))).toEqual(JSON.parse(good));
    for (const bad of [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":2}',
      '{"x":[{"a":1 , "b":2, "a" :3}]}',
      '[]',
      '1',
      '{',
      '{"a":1}}',
    ])
      expect(parseStrictObject(Buffer.from(bad))).toBeUndefined();
  });
});
