/** What the server said when it could not do what was asked, in words for people. */
import { strings } from '../strings';

export class ApiFailure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'ApiFailure';
  }
}

export function failureFrom(status: number, body: unknown): ApiFailure {
  const detail = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  if (typeof detail === 'object' && detail !== null && 'message' in detail && typeof detail.message === 'string') {
    const code = 'code' in detail && typeof detail.code === 'string' ? detail.code : 'unknown';
    return new ApiFailure(status, code, detail.message);
  }
  return new ApiFailure(status, 'unknown', strings.errors.status(status));
}

/** The message to show for anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiFailure) return error.message;
  // A fetch that never reached the server throws a TypeError whose text says nothing to a person.
  if (error instanceof TypeError) return strings.errors.unreachable;
  return error instanceof Error ? error.message : strings.errors.unknown;
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiFailure && error.status === 401;
}
