import { type Reply, reply } from '../../platform/http/endpoint.ts';
import { answerEmbeddings, type IncomingEmbeddings } from '../completion/answer-embeddings.ts';
import type { GatewayPorts } from '../completion/gateway-ports.ts';
import { embeddingsAnswer } from '../wire/embedding-vectors.ts';

/** `POST /v1/embeddings`, in the encoding that the caller asked for, whatever the provider sent. */
export async function embeddingsFront(ports: GatewayPorts, call: IncomingEmbeddings): Promise<Reply<never>> {
  const { headers, embeddings, prompt_tokens, brokle } = await answerEmbeddings(ports, call);
  const answer = embeddingsAnswer(embeddings, call.request.encoding_format, { prompt_tokens, total_tokens: prompt_tokens });
  return reply<never>({ headers: { ...headers, 'content-type': 'application/json' }, text: JSON.stringify({ ...answer, brokle }) });
}
