/** What every screen says. */
export const errors = {
  unknown: 'Something went wrong here.',
  unreachable: 'The server cannot be reached. Check that it is running and that you are connected.',
  status: (status: number) => `The server answered with status ${status}.`,
  crashed: 'This screen ran into a problem.',
  notFound: 'There is nothing at this address.',
  notFoundHint: 'It may have moved, or the link may be cut short.',
  toInbox: 'Go to the inbox',
};

export const time = {
  now: 'just now',
  dueIn: (span: string) => `Due in ${span}`,
  overdue: (span: string) => `Overdue by ${span}`,
  expiresIn: (span: string) => `Expires in ${span}`,
  expired: 'Expired',
  millis: (millis: number) =>
    millis < 1 ? '< 1 ms' : millis < 1000 ? `${Math.round(millis)} ms` : `${(millis / 1000).toFixed(1)} s`,
};
