import { createHash, createHmac } from 'node:crypto';

/** Credentials of AWS; `sessionToken` for temporary ones. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A request to sign: POST to `/` without a query, as AWS's JSON services have it. */
export interface SignableRequest {
  readonly host: string;
  readonly region: string;
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly time: Date;
}

/**
 * The headers of AWS Signature Version 4 for a request, to be sent beside those that were signed.
 * Source: "Create a signed AWS API request", AWS Identity and Access Management user guide.
 */
export function signV4(request: SignableRequest, credentials: AwsCredentials): Record<string, string> {
  const amzDate = request.time.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const day = amzDate.slice(0, 8);
  const added = {
    'x-amz-date': amzDate,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  };
  const signed = Object.entries({ ...request.headers, ...added, host: request.host })
    .map(([name, value]): [string, string] => [name.toLowerCase(), value.trim().replaceAll(/ +/g, ' ')])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const lines = signed.map(([name, value]) => `${name}:${value}\n`).join('');
  const canonical = `POST\n/\n\n${lines}\n${names}\n${sha256(request.body)}`;
  const scope = `${day}/${request.region}/${request.service}/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${sha256(canonical)}`;
  const key = [request.region, request.service, 'aws4_request'].reduce(
    (previous, part) => hmac(previous, part),
    hmac(`AWS4${credentials.secretAccessKey}`, day),
  );
  const signature = hmac(key, toSign).toString('hex');
  return {
    ...added,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}
