/** Catches what breaks while a screen is drawn, so that the rail stays and the reader can go on. */
import { Component, type ReactNode } from 'react';
import { strings } from '../../strings';
import { Failure } from '../../ui/states';

type State = { error: unknown };

export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return <Failure what={strings.errors.crashed} error={this.state.error} retry={() => this.setState({ error: null })} />;
  }
}
