/** What jsdom lacks of a browser, and a clean slate between tests. */
import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';

// A test waits for what it looks for; only on a machine with much else to do does that take long.
configure({ asyncUtilTimeout: 15_000 });

HTMLDialogElement.prototype.showModal = function showModal(this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close = function close(this: HTMLDialogElement) {
  this.open = false;
};
Element.prototype.scrollIntoView = () => undefined;

afterEach(() => {
  cleanup();
  localStorage.clear();
});
