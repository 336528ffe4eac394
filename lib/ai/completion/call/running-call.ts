import type { ProjectKeyPrincipal } from '../../../identity/accounts/account-principals.ts';
import type { Log } from '../../../platform/log.ts';
import type { Reservation } from '../../limits/limits.ts';
import type { ChatCall } from '../../providers/adapter.ts';
import type { CallRecord } from '../../records/call-record.ts';
import type { RoutingPlan } from '../../routing/plan-types.ts';
import type { ProjectSettings } from '../../routing/project-settings.ts';
import type { BrokleOptions } from '../../wire/brokle-options.ts';
import type { ChatRequest } from '../../wire/chat.ts';
import { CallerGone } from '../attempts/attempt-failure.ts';
import type { GatewayPorts } from '../gateway-ports.ts';
import type { CallJournal } from './call-journal.ts';

/** A call of the inference API as a front hands it in: checked, and in OpenAI's form. */
export interface IncomingCall {
  request_id: string;
  operation: CallRecord['operation'];
  principal: ProjectKeyPrincipal;
  options: BrokleOptions;
  /** The caller's headers that are meant for the provider. Lower-case names. */
  forwarded: Readonly<Record<string, string>>;
  /** Aborted as soon as nobody waits for the answer. */
  signal: AbortSignal;
  /** The caller's `cache-control`: `no-cache` asks the provider anew, `no-store` keeps nothing. */
  cache_control?: string | undefined;
  /** How often the caller's client has tried this call before. */
  client_retries: number;
  log: Log;
  /** Fields for the one log line of the request. */
  noted: Record<string, unknown>;
}

export interface IncomingChat extends IncomingCall {
  /** Without the gateway's own options. */
  request: ChatRequest;
  /** The caller's own text of `request`, if it came in OpenAI's form. */
  text?: string;
  native?: ChatCall['native'];
  /** The front needs the usage at the end of a stream, though its caller has not asked the provider for it. */
  usageAtEnd?: boolean;
  /** What the front could not translate, for the caller to know. */
  warnings?: readonly string[];
}

/** A call that is planned and under way. */
export interface RunningCall<Call extends IncomingCall = IncomingCall> {
  ports: GatewayPorts;
  call: Call;
  settings: ProjectSettings;
  plan: RoutingPlan;
  journal: CallJournal;
  reservation: Reservation | undefined;
  /** An upper estimate. */
  promptTokens: number;
  /** The call is given up at this time (monotonic). */
  deadlineMs: number;
}

/** No attempt is begun, and none is waited for, for a caller who is gone. */
export function throwIfGone({ signal }: IncomingCall): void {
  if (signal.aborted) throw new CallerGone();
}

/** Whether a stream ends with a chunk that has the usage. */
export const wantsUsageAtEnd = ({ request, usageAtEnd = false }: IncomingChat): boolean =>
  usageAtEnd || request.stream_options?.include_usage === true;
