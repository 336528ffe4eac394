import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type HttpResult, isStream } from './http-event.ts';

/** The answer of a function that API Gateway calls (payload format 2.0). */
export type LambdaAnswer = APIGatewayProxyStructuredResultV2;

/** Makes the answer whole, since API Gateway takes no streams, and waits for what happens at its end: Lambda freezes the function afterwards. */
export async function lambdaAnswer({ statusCode, headers, body, onEnd }: HttpResult): Promise<LambdaAnswer> {
  if (typeof body === 'string') {
    await onEnd?.({ outcome: 'complete', bytes: Buffer.byteLength(body) });
    return { statusCode, headers, body };
  }
  const bytes = isStream(body) ? await collect(body, onEnd) : Buffer.from(body);
  await onEnd?.({ outcome: 'complete', bytes: bytes.length });
  const text = utf8(bytes);
  return text === undefined
    ? { statusCode, headers, body: bytes.toString('base64'), isBase64Encoded: true }
    : { statusCode, headers, body: text };
}

async function collect(stream: AsyncIterable<Uint8Array>, onEnd: HttpResult['onEnd']): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of stream) pieces.push(piece);
    return Buffer.concat(pieces);
  } catch (error) {
    await onEnd?.({ outcome: 'failed', bytes: 0 });
    throw error;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text is shorter than base64, and a test or an emulator can read it. */
function utf8(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
