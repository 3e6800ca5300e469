import { screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { renderApp } from '../../../dev/render-app';

test('what is hidden from a model is chosen and tried', async () => {
  const { user, sent } = renderApp('/settings');
  const phone = await screen.findByRole('checkbox', { name: 'Telephone numbers' });
  expect((phone as HTMLInputElement).checked).toBe(false);
  await user.click(phone);
  await waitFor(() => expect(sent.find(({ method, path }) => method === 'POST' && path.endsWith('/redaction'))?.body).toEqual({ kinds: ['email', 'card', 'phone'], threshold: 50 }));
  await user.type(screen.getByLabelText('Try it on a text'), 'write to ann@example.com');
  await user.click(screen.getByRole('button', { name: 'Show what a model would see' }));
  expect(await screen.findByText('write to [email_0123456789ab]')).toBeTruthy();
});
