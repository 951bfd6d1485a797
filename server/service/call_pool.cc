#include "service/call_pool.h"

#include <pthread.h>

#include <system_error>
#include <utility>

namespace tidemark {

bool CallPool::Run(std::function<void()> work) {
  MutexLock lock(mutex_);
  if (stopped_ || waiting_.size() >= waiting_limit_) return false;
  if (idle_ <= waiting_.size() && threads_.size() < threads_limit_) {
    try {
      threads_.emplace_back([this] { Loop(); });
      pthread_setname_np(threads_.back().native_handle(), "call");
    } catch (const std::system_error&) {  // no more threads: those that are there do the work
      if (threads_.empty()) return false;
    }
  }
  waiting_.push_back(std::move(work));
  changed_.Signal();
  return true;
}

void CallPool::Stop() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    threads.swap(threads_);
    changed_.SignalAll();
  }
  for (std::thread& thread : threads) thread.join();
}

void CallPool::Loop() {
  mutex_.Lock();
  while (true) {
    ++idle_;
    while (waiting_.empty() && !stopped_) changed_.Wait(mutex_);
    --idle_;
    if (waiting_.empty()) break;
    {
      const std::function<void()> work = std::move(waiting_.front());
      waiting_.pop_front();
      mutex_.Unlock();
      work();
    }  // what it holds is let go of outside the lock
    mutex_.Lock();
  }
  mutex_.Unlock();
}

}  // namespace tidemark
