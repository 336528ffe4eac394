import { AppError } from '../../../platform/errors.ts';
import type { OutgoingFailure } from '../../../platform/outgoing/outgoing-failure.ts';
import type { UpstreamFailure } from '../../providers/adapter.ts';

/** One attempt has failed. The loop decides whether another one follows. */
export class AttemptFailed extends Error {
  override name = 'AttemptFailed';
  failure: UpstreamFailure;
  /** Members that the gateway had added to the request unasked. */
  injected: readonly string[] = [];
  /** How the other attempt failed, if two ran side by side. */
  alsoFailed: UpstreamFailure | undefined;
  constructor(failure: UpstreamFailure, cause?: unknown) {
    super(failure.message, cause === undefined ? undefined : { cause });
    this.failure = failure;
  }
}

/** Nobody waits for the answer any more. */
export class CallerGone extends Error {
  override name = 'CallerGone';
}

const providerFailure = (status: number, message: string): UpstreamFailure => ({
  status,
  blame: 'provider',
  message,
  code: null,
  param: null,
});

/** A connection that failed, as if the provider had answered with a status. The text says nothing about addresses. */
export function connectionFailure({ reason }: OutgoingFailure): UpstreamFailure {
  switch (reason) {
    case 'timeout':
      return providerFailure(504, 'The provider did not answer in time.');
    case 'connect':
      return providerFailure(502, 'The provider cannot be reached.');
    case 'reset':
      return providerFailure(502, 'The provider closed the connection before its answer was complete.');
    case 'too_large':
      return providerFailure(502, "The provider's answer is larger than the gateway accepts.");
    case 'forbidden_address':
      return { ...providerFailure(502, "The provider's address is not allowed."), blame: 'credentials' };
    case 'aborted':
      return providerFailure(502, 'The call was ended.');
  }
}

export const unusableAnswer = (): UpstreamFailure =>
  providerFailure(502, 'The provider answered with something that is not an answer of its kind.');

export const endedEarly = (): UpstreamFailure => providerFailure(502, 'The provider ended the stream before the answer was complete.');

/** The error inside a stream whose content had begun. Nothing follows it. */
export const streamInterrupted = ({ message }: UpstreamFailure, provider: string): AppError =>
  new AppError('upstream_failed', message, { code: 'upstream_stream_interrupted', details: { provider } });

const LONGEST_REASON = 500;

/** `reason` is the plan's: why each candidate may not be asked. */
export const noProvider = (model: string, reason: string): AppError =>
  new AppError('unavailable', `No provider is available for the model '${model}' now: ${reason.slice(0, LONGEST_REASON)}.`, {
    code: 'no_provider_available',
    retryAfterSeconds: 5,
  });

export const missingOperation = (): UpstreamFailure => ({
  ...providerFailure(404, 'The provider does not have this operation.'),
  blame: 'missing_endpoint',
});
