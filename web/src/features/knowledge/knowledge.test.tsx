import { screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { documents } from '../../../dev/mock-data';
import { renderApp } from '../../../dev/render-app';
import { piecesOf } from './words';
import { quotesIn, readsAs } from './document-text';

test('a search says why each passage was found', async () => {
  renderApp('/knowledge?q=paid+twice');
  expect(await screen.findByText('2 passages in 4 ms')).toBeTruthy();
  expect(screen.getAllByText('Why this hit')).toHaveLength(2);
  expect(screen.getByRole('meter', { name: 'twice 3.02' }).getAttribute('aria-valuenow')).toBe('100');
  expect(screen.getByText('No word of the query occurs in it; it was found by meaning.')).toBeTruthy();
});

test('a hit opens its document at the passage', async () => {
  const { user, container } = renderApp('/knowledge?q=paid+twice');
  await user.click(await screen.findByRole('button', { name: /Duplicate payments/ }));
  expect(await screen.findByRole('heading', { name: 'Changed your mind?' })).toBeTruthy();
  expect(container.querySelector('mark')?.textContent).toMatch(/^If an invoice/);
});

test('sources say how far their meaning is learned', async () => {
  renderApp('/knowledge');
  expect(await screen.findByText('Learning the meaning: 301 of 512 passages')).toBeTruthy();
  expect(screen.getByText(/3 files left out/)).toBeTruthy();
});

test('a document that changed is noticed', () => {
  const text = documents[1]?.text ?? '';
  expect(readsAs(text, 19, 139, 'An account is locked after five wrong passwords.')).toBe(true);
  expect(readsAs(text, 19, 139, 'Accounts are never locked.')).toBe(false);
  expect(readsAs(text, 5000, 5100, 'An account is locked')).toBe(false);
});

test('a quoted sentence is found in its passage through the marks of Markdown', () => {
  const text = 'Before. Choose **Cancel plan** in\n_Settings_. After.';
  const quotes = quotesIn(text, { start: 0, end: text.length }, ['Choose Cancel plan in Settings.', 'Not said at all.', 'x']);
  expect(quotes.map(({ start, end }) => text.slice(start, end))).toEqual(['Choose **Cancel plan** in\n_Settings_.']);
  expect(quotesIn(text, { start: 0, end: 7 }, ['Choose Cancel plan'])).toEqual([]);
});

test('words that were searched for stand out in a hit, whatever their ending, and nothing else does', () => {
  const found = (text: string, stems: string[]) => piecesOf(text, stems).filter((piece) => piece.found).map((piece) => piece.text);
  expect(found('Invoices are invoiced; an e-invoice too, reinvoicing not.', ['invoic'])).toEqual(['Invoices', 'invoiced', 'invoice']);
  expect(found('Größe (c++) und größer', ['größ', 'c++'])).toEqual(['Größe', 'c++', 'größer']);
  expect(piecesOf('anything', [])).toEqual([{ text: 'anything', found: false }]);
});
