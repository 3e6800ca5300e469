import { screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { renderApp } from '../../../dev/render-app';

test('a model is added with just the fields its provider needs, tried, and saved', async () => {
  const { user, sent } = renderApp('/settings/models');
  await user.click(await screen.findByRole('button', { name: 'Add a model' }));
  expect(screen.queryByLabelText('Region')).toBeNull();
  await user.selectOptions(screen.getByLabelText('Provider'), 'bedrock');
  expect(screen.getByLabelText('Region')).toBeTruthy();
  await user.selectOptions(screen.getByLabelText('Provider'), 'openai-compatible');
  expect(screen.queryByLabelText('Region')).toBeNull();
  const card = within(screen.getByRole('group', { name: 'Asked first' }));
  const test = screen.getByRole('button', { name: 'Test' });
  await user.type(card.getByLabelText('Model'), 'small');
  expect((test as HTMLButtonElement).disabled).toBe(true);
  await user.type(card.getByLabelText('Address'), 'http://127.0.0.1:1/v1');
  await user.type(card.getByLabelText(/^Key/), 'secret');
  await user.click(test);
  expect(await screen.findByText(/It works: answers/)).toBeTruthy();
  expect(sent.find(({ path }) => path.endsWith('/try'))?.body).toEqual({ kind: 'openai-compatible', model: 'small', native_tools: true, base_url: 'http://127.0.0.1:1/v1', api_key: 'secret' });
  await user.type(screen.getByLabelText('US dollars in a day'), '2.5');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText(/Saved/)).toBeTruthy();
  const put = sent.find(({ method }) => method === 'PUT');
  expect(put?.body).toMatchObject({ micro_usd_per_day: 2_500_000, tokens_per_day: null, providers: [{ model: 'small' }] });
  expect(await screen.findByText(/A key is stored/)).toBeTruthy();
  expect(screen.queryByDisplayValue('secret')).toBeNull();
});

test('a stored key is not said to stay when the address moves', async () => {
  const { user } = renderApp('/settings/models');
  await user.click(await screen.findByRole('button', { name: 'Add a model' }));
  await user.selectOptions(screen.getByLabelText('Provider'), 'openai-compatible');
  const card = () => within(screen.getByRole('group', { name: 'Asked first' }));
  await user.type(card().getByLabelText('Model'), 'small');
  await user.type(card().getByLabelText('Address'), 'http://127.0.0.1:1/v1');
  await user.type(card().getByLabelText(/^Key/), 'secret');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await screen.findByText(/A key is stored/);
  await user.type(card().getByLabelText('Address'), '/elsewhere');
  expect(await screen.findByText(/give it again/)).toBeTruthy();
});

test('what does not work says why, and the order can be changed', async () => {
  const { user, sent } = renderApp('/settings/models');
  await user.click(await screen.findByRole('button', { name: 'Add a model' }));
  await user.selectOptions(screen.getByLabelText('Provider'), 'ollama');
  await user.type(within(screen.getByRole('group', { name: 'Asked first' })).getByLabelText('Model'), 'wrong');
  await user.click(screen.getByRole('button', { name: 'Test' }));
  expect(await screen.findByText(/It does not work: `ollama` answered 404/)).toBeTruthy();
  await user.click(screen.getByRole('button', { name: /Add another/ }));
  const second = within(screen.getByRole('group', { name: /first does not answer/ }));
  await user.selectOptions(second.getByLabelText('Provider'), 'anthropic');
  await user.type(second.getByLabelText('Model'), 'large');
  await user.type(second.getByLabelText('Key'), 'k');
  await user.click(screen.getByRole('button', { name: 'Ask Anthropic earlier' }));
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(sent.find(({ method }) => method === 'PUT')?.body).toMatchObject({ providers: [{ model: 'large' }, { model: 'wrong' }] }));
});
